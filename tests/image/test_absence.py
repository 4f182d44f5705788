"""What the image says it does not have is not there: each claim of the bill of absence, in the booted image."""

from typing import Any

import pytest

from builder.image.absence import Absence, read_bill
from builder.vm.disk_image import DiskImage


def test_the_build_says_what_the_image_does_not_have(image: DiskImage) -> None:
    assert read_bill(image.path.parent)


def test_the_image_is_without(host: Any, claim: Absence) -> None:
    looked = host.run(claim.command)
    if found := looked.stdout.split("\n")[:-1]:
        more = f", and {len(found) - 10} more" if len(found) > 10 else ""
        pytest.fail(f"{claim.absent}: found {', '.join(found[:10])}{more}", pytrace=False)
    assert looked.rc == 0, f"the command of overlay {claim.overlay} failed: {looked.stderr}"
