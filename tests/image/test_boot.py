"""The image boots the way it promises: signed from the firmware to the last block of the root."""

import json
from pathlib import Path
from typing import Any

from builder.image import Artifacts
from builder.vm.machine import Machine

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def test_secure_boot_is_on(machine: Machine) -> None:
    # Four bytes of attributes, then the value (UEFI 2.11, 3.3).
    assert machine.shell.run_binary(f"cat {SECURE_BOOT}").stdout[-1:] == b"\1"


def test_the_root_is_the_one_that_was_built(host: Any, artifacts: Artifacts) -> None:
    root = host.mount_point("/")
    assert (root.filesystem, root.device) == ("erofs", "/dev/mapper/root")
    assert "ro" in root.options
    assert artifacts.root_hash in host.check_output("dmsetup table root")
    assert f"roothash={artifacts.root_hash}" in host.file("/proc/cmdline").content_string


def test_the_kernel_itself_checked_the_signature_of_the_root(host: Any) -> None:
    assert host.file("/sys/module/dm_verity/parameters/require_signatures").content_string == "Y\n"
    assert "root_hash_sig_key_desc" in host.check_output("dmsetup table root")


def test_the_kernel_refuses_the_same_root_without_a_signature(host: Any, artifacts: Artifacts) -> None:
    """Root asks for a second mapping of the very blocks that are mounted, leaving the signature away."""
    host.check_output("modprobe loop")
    data, hashes = (
        host.check_output(f"losetup --read-only --find --show /dev/disk/by-partlabel/{entry.label}")
        for entry in artifacts.partitions[1:3]
    )
    refused = host.run(f"/usr/lib/systemd/systemd-veritysetup attach unsigned {data} {hashes} {artifacts.root_hash}")
    host.check_output(f"losetup --detach {data} {hashes}")
    assert refused.rc != 0
    assert "Required key not available" in refused.stderr
    assert not host.file("/dev/mapper/unsigned").exists


def test_nothing_on_the_root_can_be_changed(host: Any) -> None:
    for path in ("/etc/passwd", "/usr/bin/claudine", "/new"):
        assert host.run(f"echo changed >> {path}").rc != 0
    assert host.run("mount -o remount,rw /").rc != 0


def test_nothing_but_the_signed_root_may_hold_programs(host: Any) -> None:
    mounts = json.loads(host.check_output("findmnt --list --json --output TARGET,OPTIONS"))["filesystems"]
    may_run = {mount["target"] for mount in mounts if "noexec" not in mount["options"].split(",")}
    # Of these only / has files of anybody's; the others are the kernel's own.
    assert may_run - {"/etc/machine-id"} == {"/", "/dev", "/proc", "/sys"}


def test_no_unit_has_failed(host: Any) -> None:
    assert host.check_output("systemctl --failed --plain --no-legend") == ""
    assert host.check_output("systemctl is-system-running") == "running"


def test_no_unit_waits_for_itself(host: Any) -> None:
    cycles = host.run("journalctl --boot --no-pager --output=cat --grep='ordering cycle|Breaking ordering'")
    assert cycles.stdout == ""


def test_the_screen_can_be_pictured(machine: Machine, tmp_path: Path) -> None:
    machine.screenshot(tmp_path / "screen.png")
    assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
