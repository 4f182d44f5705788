"""The machine's TPM 2.0: swtpm, which keeps its state in the machine's directory.

swtpm(8) ends by itself when QEMU hangs up (`--terminate`); the lifeline is for when QEMU never came.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from builder.errors import ToolError
from builder.toolchain import Toolchain
from builder.vm.lifeline import POLL_S, Process, end, start_tied

START_TIMEOUT_S = 20.0

# How the machine speaks to it: as to a chip on its own bus, or as to one that lives in the processor's firmware.
TpmInterface = Literal["tis", "crb"]


def swtpm_argv(state: Path, socket: Path) -> list[str]:
    """Return swtpm's argument list. Its options know no escape for a comma: `state` must have none."""
    return [
        "swtpm",
        "socket",
        "--tpm2",
        "--terminate",
        "--tpmstate",
        f"dir={state}",
        "--ctrl",
        f"type=unixio,path={socket}",
    ]


def start_tpm(toolchain: Toolchain, state: Path, socket: Path, *, output: Path, pass_fds: Sequence[int]) -> Process:
    """Start a TPM and wait until QEMU can connect to `socket`."""
    state.mkdir(mode=0o700, exist_ok=True)
    process = start_tied(toolchain, swtpm_argv(state, socket), output=output, pass_fds=pass_fds)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            end(process)
            raise ToolError("the virtual TPM (swtpm) did not start", hint=f"What it said is in {output}")
        time.sleep(POLL_S)
    return process


def tpm_arguments(interface: TpmInterface, socket: Path) -> list[str]:
    """Return QEMU's arguments for a TPM behind `socket`."""
    return [
        *("-chardev", f"socket,id=tpm,path={socket}"),
        *("-tpmdev", "emulator,id=tpm0,chardev=tpm"),
        *("-device", f"tpm-{interface},tpmdev=tpm0"),
    ]
