"""A machine with a person at it: in a window, or on their terminal. It has no root shell, as the real one has none."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from builder import log
from builder.errors import BuilderError
from builder.run import interact
from builder.toolchain import Toolchain
from builder.vm.bench import set_up
from builder.vm.disk_image import DiskImage
from builder.vm.hardware import Hardware
from builder.vm.lifeline import tied
from builder.vm.machine import Machine
from builder.vm.watch import MachineError


def check_window(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse where no window can be shown."""
    if not (environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY")):
        raise BuilderError(
            "there is no graphical session here to open a window in",
            hint="Use --serial for the machine's serial line, or --screenshot FILE.png for a picture of its screen",
        )


def run_in_window(
    toolchain: Toolchain, image: DiskImage, directory: Path, hardware: Hardware, *, fresh: bool, artefacts: Path
) -> None:
    """Show the machine's screen in a window until it powers off or the window is closed."""
    hardware = replace(hardware, display="gtk", guest_shell=False)
    with Machine(toolchain, image, directory, hardware=hardware, fresh=fresh, artefacts=artefacts) as machine:
        log.info("close the window to switch the machine off")
        machine.wait_for_power_off()


def run_on_terminal(
    toolchain: Toolchain, image: DiskImage, directory: Path, hardware: Hardware, *, fresh: bool
) -> None:
    """Make the person's terminal the machine's serial line until it powers off."""
    hardware = replace(hardware, display="none", serial="terminal", guest_shell=False)
    with set_up(toolchain, image, directory, hardware, fresh=fresh) as bench:
        log.info("this terminal is now the machine's serial line: Ctrl+A, then X switches it off; Ctrl+A, then H helps")
        status = interact(tied(toolchain, bench.argv))
        if status != 0:
            raise MachineError(f"QEMU ended with status {status}", hint=f"The serial log is {bench.files.serial_log}")
