"""All that is kept is on one encrypted partition, which this machine's TPM opens."""

import json
from typing import Any

import pytest

from builder.vm.directory import LEAST_DISK_BYTES
from builder.vm.machine import Machine


@pytest.fixture(scope="module")
def header(machine: Machine) -> Any:
    """The LUKS2 header's metadata."""
    return json.loads(machine.succeed("cryptsetup luksDump --dump-json-metadata /dev/disk/claudine-state"))


def test_var_is_encrypted_and_holds_neither_programs_nor_devices(host: Any) -> None:
    var = host.mount_point("/var")
    assert (var.device, var.filesystem) == ("/dev/mapper/state", "ext4")
    assert {"nodev", "nosuid", "noexec"} <= set(var.options)
    assert "type:    LUKS2" in host.check_output("cryptsetup status state")


def test_it_is_sealed_to_the_signed_boot_and_to_the_state_of_secure_boot(header: Any) -> None:
    [token] = [token for token in header["tokens"].values() if token["type"] == "systemd-tpm2"]
    assert token["tpm2-pcrs"] == [7]
    assert token["tpm2_pubkey_pcrs"] == [11]


def test_nothing_else_opens_it_but_the_recovery_key(header: Any) -> None:
    kinds = sorted(token["type"] for token in header["tokens"].values() if token["keyslots"])
    assert kinds == ["systemd-recovery", "systemd-tpm2"]
    assert len(header["keyslots"]) == len(kinds)


def test_it_has_the_rest_of_the_disk(machine: Machine) -> None:
    size_bytes = int(machine.succeed("blockdev --getsize64 /dev/disk/claudine-state"))
    assert size_bytes > 0.9 * LEAST_DISK_BYTES


def test_the_journal_is_on_it_and_bounded(machine: Machine) -> None:
    said = machine.succeed("journalctl --boot --output=cat --grep='System Journal .* max'")
    assert "/var/log/journal/" in said
    assert "max 64M" in said
