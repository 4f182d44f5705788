"""The EFI system partition is signed by nobody: what somebody lays there beside the signed files is not used."""

from builder.image import Artifacts
from builder.vm.directory import MachineDirectory
from tests.image.faults.machines import SwitchOn
from tests.image.faults.rescue import expect_running, wait_for_chat

# A unit, and what would start it. Sealed by this machine's own TPM, as anybody could have it done who once started a
# system of theirs here; in the guest, since only there is that TPM.
MEDDLE = """
set -e
mkdir -p /run/esp && mount /dev/disk/by-partlabel/esp /run/esp
mkdir -p /run/esp/loader/credentials /run/esp/loader/entries
seal() {{ systemd-creds encrypt --with-key=tpm2 --tpm2-pcrs= --name="$1" - "/run/esp/loader/credentials/$1.cred"; }}
printf '[Service]\\nExecStart=/bin/sh -c "echo here >/run/intruder"\\n' | seal systemd.extra-unit.intruder.service
printf '[Unit]\\nWants=intruder.service\\n' | seal systemd.unit-dropin.sysinit.target
printf 'title Another\\nefi /EFI/Linux/{uki}\\noptions init=/bin/sh\\n' >/run/esp/loader/entries/another.conf
printf 'default another.conf\\ntimeout 0\\neditor yes\\n' >/run/esp/loader/loader.conf
umount /run/esp
"""


def test_neither_sealed_credentials_nor_boot_entries_beside_the_kernel_image_are_used(
    artifacts: Artifacts, copy: MachineDirectory, switch_on: SwitchOn
) -> None:
    with switch_on(copy.path) as machine:
        known = machine.succeed("cat /proc/cmdline")
        machine.succeed(MEDDLE.format(uki=artifacts.uki), timeout_s=120)
        machine.restart()
        wait_for_chat(machine)
        expect_running(machine)
        assert machine.succeed("cat /proc/cmdline") == known
        assert machine.run("test -e /run/intruder").returncode != 0
        assert machine.run("test -e /run/credentials/@encrypted").returncode != 0
        assert machine.succeed("systemctl show --property=LoadState --value intruder.service").strip() == "not-found"
