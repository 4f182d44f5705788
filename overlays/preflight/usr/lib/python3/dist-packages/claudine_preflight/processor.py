"""The processor, and which of the levels of x86-64 it has (x86-64 psABI, "Micro-architecture levels")."""

from dataclasses import dataclass

from claudine_state.host import Host
from claudine_state.text import printable

# As /proc/cpuinfo calls them: pni is SSE3, abm is LZCNT.
_LEVELS = (
    frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    frozenset({"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}),
    frozenset({"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}),
)


@dataclass(frozen=True)
class Processor:
    """*level* is 1 to 4; *cores* are whole ones, without their second threads."""

    name: str
    cores: int
    level: int


def look(host: Host) -> Processor:
    """Read /proc/cpuinfo."""
    text = (host.root / "proc/cpuinfo").read_text(errors="replace")
    blocks = [_fields(block) for block in text.split("\n\n") if block.strip()]
    cores = {(block.get("physical id"), block.get("core id")) for block in blocks if "core id" in block}
    first = blocks[0] if blocks else {}
    return Processor(first.get("model name", "unknown"), len(cores) or len(blocks), _level(first.get("flags", "")))


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): printable(value.strip()) for key, _, value in pairs}


def _level(flags: str) -> int:
    has = set(flags.split())
    level = 1
    for needed in _LEVELS:
        if not needed <= has:
            break
        level += 1
    return level
