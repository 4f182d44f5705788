"""A processor that the model's code was not made for: that is said before anything is run, and nothing is touched."""

from dataclasses import replace
from pathlib import Path

from builder.image import Artifacts
from builder.toolchain import Toolchain
from builder.vm.directory import MachineDirectory
from tests.image.faults.refusal import ROOT, TIMEOUT_S, serial_text
from tests.image.hardware.conftest import SwitchOn
from tests.image.hardware.machines import NVME
from tests.image.screen import flat
from tests.support.machine_disk import only_on, written

SAID = (ROOT / "overlays/base/initrd/usr/lib/claudine/processor.txt.j2").read_text()
# With SSE 3 and nothing that came after it: x86-64, and not x86-64-v2.
OLD = replace(NVME, processor="qemu64")


def test_a_machine_with_an_old_processor_says_so_and_does_nothing(
    switch_on: SwitchOn, toolchain: Toolchain, artifacts: Artifacts, tmp_path: Path
) -> None:
    directory = MachineDirectory(tmp_path / "old")
    said = flat(SAID.replace("{{ hardware.minimum_processor }}", "x86-64-v2"))
    with switch_on(directory.path, OLD) as machine:
        machine.watch.until("the message", lambda: said in flat(serial_text(machine)) or None, timeout_s=TIMEOUT_S)
        assert machine.qmp.status() == "running"
    # The boot loader has renewed its random seed.
    assert only_on(artifacts.partitions[0], written(toolchain, directory.disk))
