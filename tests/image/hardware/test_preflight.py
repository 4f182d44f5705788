"""A machine is checked before anything is changed on it, and the check leaves one file."""

import pytest

from builder.image import Artifacts
from builder.toolchain import Toolchain
from claudine_preflight import esp, voice
from tests.image.hardware.conftest import Checked
from tests.image.screen import flat
from tests.support.machine_disk import esp_file, only_on, written


@pytest.fixture(scope="module")
def report(checked: Checked, toolchain: Toolchain, artifacts: Artifacts) -> str:
    """The report as it lies on the EFI system partition."""
    return esp_file(toolchain, checked.directory.disk, artifacts.partitions[0], esp.REPORT)


def test_the_report_on_the_disk_says_what_the_screen_says(checked: Checked, report: str) -> None:
    assert report.startswith(voice.TITLE)
    assert flat(voice.LEFT.format(name=esp.REPORT)) in checked.screen
    # The top of a long report may have left the screen.
    assert flat(report)[-300:] in checked.screen


@pytest.mark.parametrize(
    "fact",
    [
        "Secure Boot in setup mode: keys can be enrolled",
        "TPM 2.0; it sealed a test value and gave it back",
        "NVMe, 8.0 GiB; I started from it",
        "QEMU 1234:1111, driver bochs",
        "Keyboard QEMU QEMU USB Keyboard",
        "Network 1 on the PCI bus; this image has no driver for any, on purpose",
        "code for ",
    ],
)
def test_the_parts_of_the_machine_are_named(report: str, fact: str) -> None:
    assert flat(fact) in flat(report)


def test_it_says_how_the_keys_get_into_the_firmware(report: str) -> None:
    assert flat(voice.PREVENTS) in flat(report)
    assert "choose Enroll Secure Boot keys" in flat(report)
    assert "are not on the EFI system partition" not in flat(report)


def test_it_says_that_vulkan_sees_nothing_here(report: str) -> None:
    assert "Vulkan: nothing" in flat(report)
    assert "It will compute with the processor" in flat(report)


def test_nothing_was_written_but_on_the_efi_partition(
    checked: Checked, toolchain: Toolchain, artifacts: Artifacts
) -> None:
    ranges = written(toolchain, checked.directory.disk)
    assert ranges
    assert only_on(artifacts.partitions[0], ranges)
