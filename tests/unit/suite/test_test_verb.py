"""`claudineos test` on a suite of a few lines, without a machine: what is shown, reported and returned."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from builder.cli.test import command
from builder.errors import BuilderError
from builder.suite import GROUPS, Suite, check_suite
from tests.support.gpt_image import gpt_image

CONFTEST = """
import pytest
from builder.suite.plugin import artefacts_directory

def pytest_addoption(parser):
    parser.addoption("--image")
    parser.addoption("--report")

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(item.path.stem.removeprefix("test_"))

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed:
        artefacts_directory(item).mkdir(parents=True)
        (artefacts_directory(item) / "serial.log").write_text("Linux version")
    return report

@pytest.fixture
def machine():
    pytest.exit("the machine did not start: the guest panicked", returncode=3)
"""
TESTS = {
    "main": """
import pytest
def test_the_root_is_signed(request):
    from builder.suite.plugin import NOTES
    request.config.stash[NOTES]["first_boot_s"] = 85.2
@pytest.mark.parametrize("thing", ["a shell", "su (setuid)"])
def test_the_image_is_without(thing):
    if "su" in thing:
        pytest.fail(f"{thing}: found /usr/bin/su", pytrace=False)
def test_it_has_a_battery():
    pytest.skip("not in a virtual machine")
def test_bytes():
    print("looked at byte 7")
    assert 1 == 2
""",
    "network": "def test_a_packet_does_not_leave(): pass",
    "faults": "def test_a_changed_block_is_refused(): {}['block']",
}
# Runs the verb on the suite in this directory; nothing is fetched, and no accelerator is probed.
VERB = """
import dataclasses, sys
from pathlib import Path
from builder.cli import main, test
from builder.vm.accel import Accelerator
test.open_toolchain = lambda: None
test.choose_accelerator = lambda toolchain: Accelerator("tcg", "")
test.Suite = lambda *values: dataclasses.replace(Suite(*values), tests=Path("suite").absolute())
from builder.suite import Suite
main(args=["test", *sys.argv[1:]])
"""


def lay_desk(tmp_path: Path) -> Path:
    out = tmp_path / "build/qemu/out"
    out.mkdir(parents=True)
    (out / "claudineos_0.1.0.raw").write_bytes(gpt_image())
    (out / "claudineos_0.1.0.roothash").write_text("ab" * 32)
    (out / "SHA256SUMS").write_text(f"{'cd' * 32}  claudineos_0.1.0.raw\n")
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "conftest.py").write_text(CONFTEST)
    for group, text in TESTS.items():
        (suite / f"test_{group}.py").write_text(text)
    return tmp_path


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A directory with a built image and a suite."""
    return lay_desk(tmp_path)


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk on which the whole suite has run."""
    desk = lay_desk(tmp_path_factory.mktemp("desk"))
    run(desk, "--faults")
    return desk


def start(desk: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", VERB, *arguments],
        cwd=desk,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(desk: Path, *arguments: str) -> tuple[int, str, str]:
    with start(desk, *arguments) as process:
        said, told = process.communicate(timeout=60)
    return process.returncode, said, told


def report(desk: Path) -> Any:
    return json.loads((desk / "build/qemu/test/test-report.json").read_text())


def test_a_run_is_shown_and_reported(desk: Path) -> None:
    code, said, told = run(desk)
    assert (code, said) == (1, f"{desk}/build/qemu/test/test-report.json\n")
    lines = told.splitlines()
    assert [line.split(" s  ")[1] for line in lines if line.startswith(("passed ", "failed ", "skipped "))] == [
        "the root is signed",
        "the image is without: a shell",
        "the image is without: su (setuid)",
        "it has a battery (not in a virtual machine)",
        "bytes",
        "a packet does not leave",
    ]
    assert lines[-1].startswith("claudineos_0.1.0: 3 passed, 2 failed, 1 skipped, in ")
    kept = f"{desk}/build/qemu/test/artefacts/test_main-test_the_image_is_without-su-setuid"
    assert f"failed: the image is without: su (setuid)\n  su (setuid): found /usr/bin/su\n  kept: {kept}\n" in told
    assert "Traceback" not in told


def test_the_report_says_what_was_tested_and_what_was_found(tested: Path) -> None:
    found = report(tested)
    assert (found["schema"], found["image"], found["accelerator"], found["finished"]) == (
        1,
        "claudineos_0.1.0",
        "tcg",
        True,
    )
    assert (found["root_hash"], found["image_sha256"]) == ("ab" * 32, "cd" * 32)
    assert found["notes"] == {"first_boot_s": 85.2}
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["it has a battery"]["message"] == "not in a virtual machine"
    assert checks["bytes"]["message"] == "assert 1 == 2"
    assert checks["a changed block is refused"]["message"] == "KeyError: 'block'"
    assert {check["topic"] for check in checks.values()} == {"main", "network", "faults"}
    assert {check["group"] for check in checks.values()} == {"main", "network", "faults"}
    junit = ElementTree.parse(tested / "build/qemu/test/junit.xml").getroot()
    assert len(junit.findall(".//testcase")) == len(checks) == 7


def test_every_failure_has_its_artefacts(tested: Path) -> None:
    for check in report(tested)["checks"]:
        kept = [Path(path).name for path in check["artefacts"]]
        assert kept == (["failure.txt", "serial.log"] if check["outcome"] == "failed" else [])
    failure = tested / "build/qemu/test/artefacts/test_main-test_bytes/failure.txt"
    assert "looked at byte 7" in failure.read_text()


CHOICES = [
    (["--group", "network"], 0, ["a packet does not leave"]),
    (["--group", "network", "--faults"], 1, ["a changed block is refused", "a packet does not leave"]),
    (["-k", "signed or packet"], 0, ["the root is signed", "a packet does not leave"]),
]


@pytest.mark.parametrize(("arguments", "code", "names"), CHOICES)
def test_checks_can_be_chosen(desk: Path, arguments: list[str], code: int, names: list[str]) -> None:
    assert run(desk, *arguments)[0] == code
    assert sorted(check["name"] for check in report(desk)["checks"]) == sorted(names)


def test_a_second_run_keeps_nothing_of_the_first(desk: Path) -> None:
    run(desk, "-k", "bytes")
    run(desk, "-k", "signed")
    assert [check["name"] for check in report(desk)["checks"]] == ["the root is signed"]
    assert not (desk / "build/qemu/test/artefacts").exists()


def test_a_machine_that_does_not_start_ends_the_run(desk: Path) -> None:
    (desk / "suite/test_network.py").write_text("def test_one(machine): pass\ndef test_other(machine): pass\n")
    code, said, told = run(desk, "--group", "network")
    assert (code, said) == (3, "")
    assert told == "claudineos: the machine did not start: the guest panicked\n"
    assert (report(desk)["checks"], report(desk)["finished"]) == ([], False)
    assert report(desk)["failure"] == "the machine did not start: the guest panicked"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_reports_what_ran(desk: Path, stop: signal.Signals) -> None:
    (desk / "suite/test_network.py").write_text(
        "import pathlib, time, pytest\n@pytest.fixture\ndef machine():\n  yield\n  pathlib.Path('ended').touch()\n"
        "def test_one(): pass\n"
        "def test_other(machine):\n  pathlib.Path('begun').touch()\n  time.sleep(60)\n"
    )
    with start(desk, "--group", "network") as process:
        deadline = time.monotonic() + 20
        while not (desk / "begun").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(stop)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (desk / "ended").exists()
    assert "Traceback" not in told
    assert [check["name"] for check in report(desk)["checks"]] == ["one"]
    assert (report(desk)["finished"], report(desk)["failure"]) == (False, "interrupted")


MISTAKES = [
    (["nowhere.raw"], "there is no image nowhere.raw"),
    (["--group", "mian"], "'mian' is not one of"),
    (["--report", "suite"], "holds other things than a report"),
    (["-k", "nothing of this name"], "pytest refuses"),
    (["-k", "unheard_of"], "no check is chosen"),
]


@pytest.mark.parametrize(("arguments", "told"), MISTAKES)
def test_a_mistake_is_told(desk: Path, arguments: list[str], told: str) -> None:
    code, said, complaint = run(desk, *arguments)
    assert (code, said) == (2, "")
    assert told in complaint
    assert "Traceback" not in complaint


def test_a_broken_test_is_told_as_it_is(desk: Path) -> None:
    (desk / "suite/test_network.py").write_text("import nothing_of_this_name\n")
    code, _, told = run(desk)
    assert code == 3
    assert "nothing_of_this_name" in told


def test_without_the_source_tree_it_says_where_the_tests_are(tmp_path: Path) -> None:
    with pytest.raises(BuilderError, match="source tree"):
        check_suite(Suite(tmp_path / "a.raw", tmp_path / "report", ("main",), tests=tmp_path))


def test_every_group_is_a_marker_and_in_the_help(pytestconfig: pytest.Config) -> None:
    told = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    for group, what in GROUPS.items():
        assert f"{group}: {what}" in pytestconfig.getini("markers")
        assert f"{group}: {what}" in told
