"""A processor that is too old is told so by the initrd's first program, in the kernel's names for what it lacks."""

import subprocess
from pathlib import Path

import pytest

from builder.profile import load_profile
from builder.render import OVERLAYS_DIR, render

SCRIPT = "mkosi.initrd.extra/usr/lib/claudine/processor"
OLD = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 mmx fxsr sse sse2 syscall nx lm pni"
NEHALEM = f"{OLD} ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm"
HASWELL = f"{NEHALEM} fma movbe xsave avx f16c abm bmi1 avx2 bmi2"


def lacking(tmp_path: Path, level: str, flags: str) -> str:
    """Run the check for a level on a processor of two cores."""
    profile = tmp_path / "box.yaml"
    profile.write_text(
        f"schema: 1\nname: box\ndescription: A test's own\nextends: base\nhardware: {{minimum_processor: {level}}}\n"
    )
    plan = render(load_profile(str(profile)), OVERLAYS_DIR)
    script = next(file.content.decode() for file in plan.files if file.path == SCRIPT)
    core = f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {flags}\nvmx flags\t: vnmi sse4_2\n\n"
    return subprocess.run(
        ["sh", "-c", script], input=core * 2, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize(
    ("level", "flags", "lacks"),
    [
        ("x86-64", OLD, ""),
        ("x86-64-v2", OLD, "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"),
        ("x86-64-v2", NEHALEM, ""),
        ("x86-64-v2", HASWELL, ""),
        ("x86-64-v3", NEHALEM, "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"),
        ("x86-64-v3", HASWELL.replace(" avx2", ""), "avx2"),
        ("x86-64-v3", HASWELL, ""),
    ],
)
def test_what_a_processor_lacks(tmp_path: Path, level: str, flags: str, lacks: str) -> None:
    assert lacking(tmp_path, level, flags) == lacks
