from pathlib import Path

import pytest

from builder.vm.serial_log import SerialLog, find_failure


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs", "the kernel panicked"),
        ("You are in emergency mode. After logging in, type", "emergency mode"),
        ("[  OK  ] Reached target emergency.target - Emergency Mode.", "emergency mode"),
        ("[FAILED] Failed to start systemd-veritysetu…ntegrity Protection Setup for root.", "root could not be set up"),
        ("Cannot open access to console, the root account is locked.", "emergency mode"),
        ('BdsDxe: failed to load Boot0001 "UEFI Misc Device" from PciRoot(0x0): Access Denied', "firmware refused"),
        ("boot.c:3021@call_image_start: Error loading EFI binary \\EFI\\Linux\\a.efi: Access denied", "kernel image"),
        ("BdsDxe: No bootable option or device was found.", "nothing to boot"),
        ("device-mapper: verity: 252:2: data block 17 is corrupted", "does not match the root hash"),
    ],
)
def test_a_line_that_means_failure_is_recognised(line: str, meaning: str) -> None:
    assert meaning in find_failure(line)


@pytest.mark.parametrize(
    "line",
    [
        'BdsDxe: starting Boot0001 "UEFI Misc Device"',
        "[    0.1] Kernel command line: panic=10 quiet",
        "systemd[1]: emergency.service: Skipped",
        "I would rather not go into emergency mode, said the model.",
        "audit: access denied for nobody",
    ],
)
def test_an_ordinary_line_is_not_a_failure(line: str) -> None:
    assert find_failure(line) == ""


def test_the_log_tells_how_far_the_boot_is(tmp_path: Path) -> None:
    file = tmp_path / "serial.log"
    log = SerialLog(file)
    log.read()
    assert (log.stage, log.last_line) == ("firmware", "")
    with file.open("ab", buffering=0) as serial:
        serial.write(b"\x1b[2J\x1b[!p\x1b[0;1;38:5:185m\x1b[001;001HBdsDxe: starting Boot0001\r\n\x1b[0m\r\n")
        log.read()
        assert (log.stage, log.last_line) == ("boot loader", "BdsDxe: starting Boot0001")
        serial.write(b"[    0.000000] Linux ver")
        log.read()
        serial.write(b"sion 7.2\r\n")
        log.read()
        assert (log.stage, log.last_line) == ("kernel", "[    0.000000] Linux version 7.2")
        mark = b"\x1b]3008;start=73cd;user=root;pid=1;comm=systemd;type=boot\x1b\\"
        serial.write(b"\x1bP+q6E616D65\x1b\\" + mark)
        log.read()
        log.read()
        assert log.stage == "initrd"
        serial.write(b"[  OK  ] Reached target\r\n" + mark + b"loading: 1 s\rloading: 2 s\r")
        log.read()
        assert (log.stage, log.last_line) == ("system", "loading: 2 s")
        log.restart()
        assert log.stage == "firmware"
    assert log.failure == ""


def test_a_panic_whose_line_never_ends_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "serial.log"
    file.write_text("[    2.1] Kernel panic - not syncing: Attempted to kill init!")
    log = SerialLog(file)
    log.read()
    assert "the kernel panicked" in log.failure


def test_a_long_line_is_shown_short(tmp_path: Path) -> None:
    file = tmp_path / "serial.log"
    file.write_text("x" * 500)
    log = SerialLog(file)
    log.read()
    assert len(log.last_line) == 100
