import base64
import shlex
import subprocess

import pytest

from builder.vm.credentials import credential_arguments, exec_quoted
from builder.vm.shell import OPEN_PORT, SERVE_PORT, UNIT, shell_credentials


def test_a_credential_is_passed_in_base64() -> None:
    option, value = credential_arguments({"a.name": "text, with a comma\n"})
    assert option == "-smbios"
    head, _, encoded = value.rpartition("a.name=")
    assert head == "type=11,value=io.systemd.credential.binary:"
    assert base64.b64decode(encoded) == b"text, with a comma\n"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain", '"plain"'),
        ("$HOME 100%", '"$$HOME 100%%"'),
        ('say "a\\b"', '"say \\"a\\\\b\\""'),
        ("two\nlines", '"two\\nlines"'),
    ],
)
def test_text_reaches_a_service_as_it_is(text: str, quoted: str) -> None:
    assert exec_quoted(text) == quoted


def test_the_shell_is_wanted_by_the_boot_and_ordered_after_nothing() -> None:
    credentials = shell_credentials()
    assert f"Wants={UNIT}" in credentials["systemd.unit-dropin.multi-user.target"]
    unit = credentials[f"systemd.extra-unit.{UNIT}"]
    assert "DefaultDependencies=no" in unit
    assert "After=" not in unit


def test_the_shell_runs_the_script_that_is_tested() -> None:
    unit = shell_credentials()[f"systemd.extra-unit.{UNIT}"]
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    unescaped = line.removeprefix("ExecStart=").replace("$$", "$").replace("%%", "%").replace("\\n", "\n")
    program, flag, script = shlex.split(unescaped.replace("\\\n", "\\n"))
    assert (program, flag) == ("/bin/sh", "-c")
    assert script == f"{OPEN_PORT}\n{SERVE_PORT}"
    assert subprocess.run(["/bin/sh", "-n", "-c", script], check=False).returncode == 0
