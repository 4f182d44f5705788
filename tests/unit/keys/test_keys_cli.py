"""`claudineos keys`: the result on stdout, the advice on stderr."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from builder.cli.keys import command
from builder.errors import BuilderError
from builder.keys.create import MAX_OWNER_BYTES


def test_create_prints_the_directory_and_says_what_to_do_next(tmp_path: Path) -> None:
    longest = "A" * MAX_OWNER_BYTES
    result = CliRunner().invoke(command, ["create", str(tmp_path / "keys"), "--owner", longest])
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'keys'}\n"
    assert "backup" in result.stderr
    assert "PK.key and KEK.key can go offline" in result.stderr


def test_create_refuses_a_directory_in_use(key_dir: Path) -> None:
    with pytest.raises(BuilderError, match="never overwritten"):
        CliRunner().invoke(command, ["create", str(key_dir)], catch_exceptions=False)


def test_show_names_every_key(key_dir: Path) -> None:
    (key_dir / "PK.key").unlink()
    result = CliRunner().invoke(command, ["show", str(key_dir)])
    assert result.stderr == ""
    assert [line for line in result.stdout.splitlines() if line[:1].strip()] == [
        "PK: Ada ClaudineOS Secure Boot PK",
        "KEK: Ada ClaudineOS Secure Boot KEK",
        "db: Ada ClaudineOS Secure Boot db",
        "verity: Ada ClaudineOS verity",
        "pcr: Ada ClaudineOS TPM PCR",
    ]
    assert result.stdout.count("not here (offline)") == 1


def test_show_gives_scripts_json(pristine: Path) -> None:
    shown = json.loads(CliRunner().invoke(command, ["show", str(pristine), "--json"]).stdout)
    assert shown["throwaway"] is False
    assert [key["role"] for key in shown["keys"]] == ["PK", "KEK", "db", "verity", "pcr"]


def test_show_warns_of_throwaway_keys(throwaway: Path) -> None:
    result = CliRunner().invoke(command, ["show", str(throwaway)])
    assert "warning: a throw-away key set" in result.stderr
