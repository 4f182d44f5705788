"""What the model would compute with: the model's server is asked, because its own choice counts.

It loads the variant of its code that fits the processor best, and lists the graphics that its Vulkan backend sees.
"""

import re
from dataclasses import dataclass

from claudine_state.host import Host
from claudine_state.run import CommandError
from claudine_state.text import printable

# What it loads is in its log, on standard error; a graphics driver that hangs is not waited for.
_ASK = ["timeout", "60", "sh", "-c", "exec llama-server --verbose --list-devices 2>&1"]
_VARIANT = re.compile(r"loaded CPU backend from \S*libggml-cpu-([\w-]+)\.so")
_DEVICE = re.compile(r"^ +(Vulkan\d+: .+)$", re.MULTILINE)


@dataclass(frozen=True)
class Compute:
    """*wanted* is what the image was built for: cpu or vulkan. *error* is why the server did not answer."""

    wanted: str
    variant: str = ""
    devices: tuple[str, ...] = ()
    error: str = ""


def look(host: Host) -> Compute:
    """Ask the model's server."""
    wanted_file = host.root / "usr/share/claudine/gpu"
    wanted = wanted_file.read_text().strip() if wanted_file.exists() else "cpu"
    try:
        said = host.run(_ASK).decode(errors="replace")
    except CommandError as error:
        return Compute(wanted, error=str(error))
    variant = _VARIANT.search(said)
    devices = tuple(printable(device) for device in _DEVICE.findall(said))
    return Compute(wanted, variant[1] if variant else "", devices)
