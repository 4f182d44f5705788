"""The unit in which a model's server runs, and why it does not: what systemd, the kernel and the server say."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from claudine_runtime import server
from claudine_runtime.ddi import ImageError
from claudine_runtime.launch import DOES_NOT_FIT, UNREADABLE
from claudine_runtime.machine import wanted_backend
from claudine_runtime.shelf import Shelf, examine
from claudine_state.run import CommandError
from claudine_state.text import printable

Result = Literal["running", "loading", "oom", "unsigned", "foreign", "changed", "missing", "crashed"]

# systemd.exec(5), "Process Exit Codes": the image could not be mounted.
_NAMESPACE = 226
# systemd's catalogue: "The unit has entered the 'failed' state", and "An ExecStart= process has exited".
_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
_EXITED = "98e322203f7a4ed290d09fe03c09fe15"
_DAMAGED = re.compile(r"device-mapper: verity: .* is corrupted")

# "load_tensors:      Vulkan0 model buffer size =    92.10 MiB", one for each kind of memory that has weights.
_BUFFER = re.compile(r"load_tensors: +(\S+) model buffer size = +([0-9.]+) MiB")
# "  - Vulkan0 : AMD Radeon Graphics (RADV PHOENIX) (16384 MiB, 15000 MiB free)".
_DEVICE = re.compile(r"- +(\S+) +: (.+) \(\d+ MiB, \d+ MiB free\)")


@dataclass(frozen=True)
class Runtime:
    """How the model in use fares; see *runtime* in ``claudine_runtime.serve``."""

    unit: str
    model: str
    result: Result
    backend: str
    device: str
    wanted: str
    context_tokens: int
    threads: int


def unit_name(model: str) -> str:
    """Return the unit of a model's server."""
    return f"claudine-runtime@{model}.service"


def show(shelf: Shelf, model: str) -> Mapping[str, str]:
    """Return what systemd knows of the unit."""
    names = "ActiveState,SubState,MainPID,NRestarts,InvocationID,ExecMainStartTimestamp"
    argv = ["systemctl", "show", "--timestamp=unix", f"--property={names}", unit_name(model)]
    lines = shelf.host.run(argv).decode(errors="replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def process(state: Mapping[str, str]) -> int:
    """Return the server's process; 0 if it does not run."""
    number = state.get("MainPID", "")
    return int(number) if number.isascii() and number.isdigit() else 0


def describe(shelf: Shelf) -> Runtime:
    """Look at the model in use."""
    model = shelf.in_use()
    state = show(shelf, model)
    arguments = _arguments(shelf, process(state))
    backend, device = _where(shelf, state) if process(state) else ("", "")
    return Runtime(
        unit=unit_name(model),
        model=model,
        result=judge(shelf, model, state),
        backend=backend,
        device=device,
        wanted=wanted_backend(f"{shelf.host.root}/"),
        context_tokens=int(arguments.get("--ctx-size", "0")),
        threads=int(arguments.get("--threads", "0")),
    )


def judge(shelf: Shelf, model: str, state: Mapping[str, str]) -> Result:
    """Say how a model fares. One that has failed and is tried again is told by its failure, until it has loaded."""
    if state.get("SubState") == "running":
        if server.is_ready(shelf.socket(model)):
            return "running"
        if state.get("NRestarts") == "0":
            return "loading"
    if not shelf.place(model).exists():
        return "missing"
    return why_it_failed(shelf, model, state) or ("loading" if state.get("ActiveState") != "failed" else "crashed")


def why_it_failed(shelf: Shelf, model: str, state: Mapping[str, str]) -> Result | None:
    """Return the reason of the last failure since the machine was started; None if there was none."""
    result = _last(shelf, model, _FAILED).get("UNIT_RESULT")
    if result is None:
        return None
    status = _last(shelf, model, _EXITED).get("EXIT_STATUS")
    if result == "oom-kill" or status == str(DOES_NOT_FIT):
        return "oom"
    try:
        examine(shelf, shelf.place(model))
    except ImageError as error:
        return "changed" if error.problem == "unreadable" else error.problem
    damaged = _DAMAGED.search(_kernel_since(shelf, state.get("ExecMainStartTimestamp", "")))
    return "changed" if damaged or status in (str(_NAMESPACE), str(UNREADABLE)) else "crashed"


def _last(shelf: Shelf, model: str, kind: str) -> Mapping[str, str]:
    match = [f"MESSAGE_ID={kind}", f"UNIT={unit_name(model)}"]
    try:
        line = shelf.host.run(["journalctl", "--boot", "--quiet", "--lines=1", "--output=json", *match])
        entry = json.loads(line or b"{}")
    except (CommandError, ValueError):
        return {}
    return {key: value for key, value in entry.items() if isinstance(value, str)}


def _kernel_since(shelf: Shelf, moment: str) -> str:
    since = [f"--since={moment}"] if moment.startswith("@") else []
    try:
        said = shelf.host.run(["journalctl", "--boot", "--dmesg", "--quiet", "--output=cat", *since])
    except CommandError:
        return ""
    return said.decode(errors="replace")


def _arguments(shelf: Shelf, number: int) -> Mapping[str, str]:
    try:
        words = (shelf.host.root / f"proc/{number}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return {}
    return {name: value for name, value in pairwise(words) if value.isascii() and value.isdigit()}


def _where(shelf: Shelf, state: Mapping[str, str]) -> tuple[str, str]:
    """Return the backend that has most of the weights, and its device, in the server's own words."""
    match = [f"_SYSTEMD_INVOCATION_ID={state.get('InvocationID', '')}"]
    try:
        said = shelf.host.run(["journalctl", "--boot", "--quiet", "--output=cat", *match]).decode(errors="replace")
    except CommandError:
        return "", ""
    sizes = {name: float(size) for name, size in _BUFFER.findall(said)}
    if not sizes:
        return "", ""
    # "CPU_REPACK" is weights in another order, in the same place.
    name = max(sizes, key=lambda one: sizes[one]).partition("_")[0]
    backend = name.rstrip("0123456789")
    return backend, _processor(shelf) if backend == "CPU" else dict(_DEVICE.findall(said)).get(name, "")


def _processor(shelf: Shelf) -> str:
    """Return the processor's name, which the server cannot see: its /proc has nothing but processes."""
    try:
        lines = (shelf.host.root / "proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((printable(line.partition(":")[2].strip()) for line in lines if line.startswith("model name")), "")
