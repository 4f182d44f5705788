"""What `claudineos verify` says that the TPM will hold, and what it holds in the booted machine."""

from typing import Any

import pytest

from builder.verify import verify
from builder.vm.disk_image import DiskImage


@pytest.fixture(scope="module")
def predicted(image: DiskImage) -> dict[int, str]:
    return verify(image.path).predicted_pcrs


@pytest.mark.parametrize("register", [4, 7, 11])
def test_the_tpm_holds_what_was_predicted_from_the_image(register: int, predicted: dict[int, str], host: Any) -> None:
    held = host.check_output(f"cat /sys/class/tpm/tpm0/pcr-sha256/{register}")
    assert held.strip().lower() == predicted[register]
