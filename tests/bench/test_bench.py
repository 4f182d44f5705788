"""`ci/bench` compares like with like, and says so when our image has become slow. It boots nothing here."""

import re
import runpy
from pathlib import Path

import pytest

from builder.profile import load_profile
from claudine import voice
from claudine.plain import face as lines
from claudine_runtime.launch import SERVER, options

ROOT = Path(__file__).parents[2]
PLAIN_TREE = ROOT / "tests/bench/plain"
UNIT = "mkosi.extra/usr/lib/systemd/system/claudine-runtime.service"

# The script has no suffix, so it cannot be imported.
BENCH = runpy.run_path(str(ROOT / "ci/bench"))


def decided(argv: list[str]) -> list[str]:
    """The command line without what is called otherwise there, and what the plain image leaves to the server."""
    for name in ("--host", "--model", "--alias", "--threads"):
        if name in argv:
            at = argv.index(name)
            argv = argv[:at] + argv[at + 2 :]
    return argv


def model_server(unit: str) -> list[str]:
    """The command line with which a unit starts the model server."""
    found = re.search(r"^ExecStart=((?:.*\\\n)*.*)", unit, re.MULTILINE)
    assert found
    return found[1].replace("\\\n", " ").split()


def test_both_images_run_the_same_model_server() -> None:
    plain = model_server((PLAIN_TREE / UNIT).read_text())
    ours = [SERVER, *options("smollm2-135m_1", 2048, 2, "cpu")]
    assert decided(plain) == decided(ours)


def test_both_images_are_of_the_same_release() -> None:
    release = load_profile("qemu").profile.distribution.release
    assert f"\nRelease={release}\n" in (PLAIN_TREE / "mkosi.conf").read_text()


@pytest.mark.parametrize(
    ("said", "means_that_a_person_can_type"),
    [
        (voice.GREETING, False),
        (voice.LOOKING, False),
        (voice.waiting("loading", 3), False),
        (f"[{voice.KEY_WAITS}]", True),
        (lines.PROMPT, True),
    ],
)
def test_it_knows_the_clients_prompts(said: str, means_that_a_person_can_type: bool) -> None:
    assert bool(re.search(BENCH["CLIENT_PROMPT"], said)) == means_that_a_person_can_type


@pytest.mark.parametrize(
    ("typing_s", "answering_s", "named"),
    [
        (30.0, 60.0, []),
        (30.0, 61.0, ["model can answer"]),
        (31.0, 60.0, ["person can type"]),
        (31.0, 61.0, ["person can type", "model can answer"]),
    ],
)
def test_it_names_what_is_too_slow_and_does_not_judge_the_parts(
    typing_s: float, answering_s: float, named: list[str]
) -> None:
    plain = BENCH["Times"](50.0, 100.0, 20.0, 5.0, 10.0, 15.0)
    ours = BENCH["Times"](typing_s, answering_s, 40.0, 10.0, 20.0, 30.0)
    complaints = list(BENCH["too_slow"]({boot: {"plain": plain, "ours": ours} for boot in BENCH["BOOTS"]}))
    assert [complaint.partition(":")[0] for complaint in complaints] == [
        f"{boot}, {name}" for boot in BENCH["BOOTS"] for name in named
    ]
