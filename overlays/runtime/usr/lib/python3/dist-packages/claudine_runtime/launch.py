"""Decides how much of this machine a model gets, says so, and becomes its server.

It runs unprivileged in the server's own sandbox, where the image is mounted at ``/run/model``. The kernel has checked
the signature over the image's root hash by then, and checks each block that is read.
"""

import json
import os
import sys
from collections.abc import Callable

from claudine_runtime.machine import count_cores, total_memory_bytes, wanted_backend
from claudine_runtime.plan import REST_BYTES, Needs, choose_context, read_needs

SERVER = "/usr/bin/llama-server"
# sysexits.h. The unit does not try again what does not fit.
UNREADABLE, DOES_NOT_FIT = 74, 75
_MIB = 1 << 20

Execute = Callable[[str, list[str]], object]


def launch(model: str, root: str = "/", execute: Execute = os.execv) -> int:
    """Start the server of the image *model*; return only if that cannot be, with an exit code."""
    try:
        document = _read_json(f"{root}run/model/model.json")
        needs = read_needs(document)
    except (OSError, ValueError) as error:
        print(f"{model}: the image cannot be read: {error}", file=sys.stderr)
        return UNREADABLE
    memory_bytes = total_memory_bytes()
    tokens = choose_context(needs, memory_bytes, profile_wish(root), owner_wish(os.environ.get("CLAUDINE_CONTEXT")))
    if not tokens:
        print(f"{model}: it does not fit: {_room(needs, 0, memory_bytes)}", file=sys.stderr)
        return DOES_NOT_FIT
    threads = count_cores(root)
    print(f"{model}: {tokens} tokens of context, {threads} threads; {_room(needs, tokens, memory_bytes)}", flush=True)
    execute(SERVER, [SERVER, *options(model, tokens, threads, wanted_backend(root)), *chat_template(root)])
    return 0


def options(model: str, tokens: int, threads: int, wanted: str) -> list[str]:
    """Return the server's options, each for a reason.

    One conversation at a time (``--parallel``), of a length that is decided (``--fit`` would choose another, after
    loading the model once to try). No first run on nothing (``--no-warmup``), which takes a slow machine seconds. No
    second copy of old prompts (``--cache-ram``, 8 GiB by default), no downloads, no web page. The weights are read and
    not mapped: where a block of them is damaged, the kernel would try to map it again and again, for ever. From
    verbosity 4 on it names the devices and where the weights went; nothing of a conversation, which comes with 5.
    """
    return [
        *("--host", f"/run/claudine-runtime/{model}/llama.sock"),
        *("--model", "/run/model/model.gguf"),
        *("--alias", model),
        *("--ctx-size", str(tokens)),
        *("--threads", str(threads)),
        *(("--device", "none") if wanted == "cpu" else ("--gpu-layers", "all")),
        *("--parallel", "1"),
        *("--cache-ram", "0"),
        *("--fit", "off"),
        *("--load-mode", "none"),
        "--no-warmup",
        "--offline",
        "--no-ui",
        *("--verbosity", "4"),
    ]


def chat_template(root: str) -> list[str]:
    """Return the option for a template that is beside the weights, because they have none."""
    path = "run/model/chat-template.jinja"
    return ["--chat-template-file", f"/{path}"] if os.path.exists(root + path) else []


def profile_wish(root: str) -> int | None:
    """Return the longest conversation that the image's profile allows: a long one takes a slow machine long."""
    try:
        document = _read_json(f"{root}usr/share/claudine/model.json")
        return int(document["context_tokens"]) if isinstance(document, dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def owner_wish(text: str | None) -> int | None:
    """Read what the owner has chosen, from the unit's environment; None for as long as there is room."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _read_json(path: str) -> object:
    with open(path, "rb") as file:
        return json.load(file)


def _room(needs: Needs, tokens: int, memory_bytes: int) -> str:
    return (
        f"{needs.memory_bytes(tokens) // _MIB} of this machine's {memory_bytes // _MIB} MiB of memory, "
        f"{REST_BYTES // _MIB} of which are for the rest"
    )
