"""What the serial line tells about a boot: how far it is, and whether it has failed.

The firmware, the kernel (its errors even with `quiet`) and systemd write there before anything else can be asked.
"""

import re
from collections.abc import Set
from pathlib import Path

# Failures that some machines are there to show, see `SerialLog.expected`.
ROOT_REFUSED = "the root could not be set up"
EMERGENCY_MODE = "systemd gave up and went into emergency mode"
DAMAGED_BLOCK = "a block does not match the root hash"
# What a firmware or a kernel says when a boot will not go on by itself, and what it means.
FAILURES = (
    (r"Kernel panic - not syncing", "the kernel panicked"),
    (r"You are in (emergency|rescue) mode", EMERGENCY_MODE),
    (r"Reached target .*[Ee]mergency", EMERGENCY_MODE),
    (r"Cannot open access to console, the root account is locked", EMERGENCY_MODE),
    (
        r"BdsDxe: .*(Access Denied|Security Violation)",
        "the firmware refused the boot loader: no enrolled key signed it",
    ),
    (
        r"Error loading .*: (?i:access denied|security violation)",
        "the firmware refused the kernel image: no enrolled key signed it as it is",
    ),
    (r"BdsDxe: No bootable option or device was found", "the firmware found nothing to boot on the disk"),
    # The kernel found no key for the root hash's signature, or a hash that does not fit; emergency mode follows later.
    (r"Failed to start .*(ntegrity Protection Setup for root|veritysetup@root)", ROOT_REFUSED),
    (r"verity: \S+ (data|metadata) block \d+ is corrupted", DAMAGED_BLOCK),
)
# Each says that a stage has begun. The last one seen is where the boot is.
STAGES = (
    (r"BdsDxe: starting", "boot loader"),
    (r"Linux version \d|\[ +0\.0{6}\]", "kernel"),
)
# systemd marks its start for the terminal (OSC 3008, systemd's UAPI context), in the initrd and again in the real
# root; with a quiet kernel it is the only word between the boot loader and the client.
SYSTEMD_STARTS = re.compile(r"\x1b\]3008;start=[^\x1b\x07]*;comm=systemd;[^\x1b\x07]*type=boot")
# Terminal control sequences: CSI, strings (OSC, DCS), and two-byte escapes.
CONTROL = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]P][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_78=>])|[\x00-\x08\x0b-\x1f\x7f]")
SHOWN_CHARACTERS = 100


class SerialLog:
    """Reads the serial log as it grows.

    `stage` is how far the boot is; `last_line` what was written last; `failure` what went wrong, "" so far nothing.
    What is `expected` of FAILURES is none: a test of a fault goes on where others give up.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._partial = ""
        self.stage = "firmware"
        self.last_line = ""
        self.failure = ""
        self.expected: frozenset[str] = frozenset()

    def read(self) -> None:
        """Take in what has been written since the last time."""
        if not self._path.exists():
            return
        with self._path.open("rb") as log:
            log.seek(self._offset)
            data = log.read()
        self._offset += len(data)
        text = self._partial + data.decode(errors="replace")
        starts = len(SYSTEMD_STARTS.findall(text)) - len(SYSTEMD_STARTS.findall(self._partial))
        # A panic's last line may never end: the last piece is looked at too, and again when there is more of it.
        for line in re.split(r"[\r\n]+", text):
            self._take(line)
        for _ in range(starts):
            self.stage = "system" if self.stage == "initrd" else "initrd"
        self._partial = text.rpartition("\n")[2]

    def restart(self) -> None:
        """Note that the machine has been reset: the boot begins again."""
        self.stage = "firmware"

    def _take(self, raw: str) -> None:
        line = CONTROL.sub("", raw).strip()
        if not line:
            return
        self.last_line = line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"
        for pattern, stage in STAGES:
            if re.search(pattern, line):
                self.stage = stage
        if not self.failure:
            self.failure = find_failure(line, self.expected)


def find_failure(line: str, expected: Set[str] = frozenset()) -> str:
    """Say what a line of the serial log means if it means failure, but one that is `expected`; else ""."""
    for pattern, meaning in FAILURES:
        if meaning not in expected and re.search(pattern, line):
            return f"{meaning} ({line[:SHOWN_CHARACTERS]})"
    return ""
