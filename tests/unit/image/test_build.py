"""`claudineos build` with a stand-in for mkosi: what is kept, what is done again, and what a failure leaves behind."""

import hashlib
import json
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Callable

import pytest

from builder.keys import create_keys
from tests.support.debian_package import package_bytes
from tests.support.desk import PROFILE, WEIGHTS, Desk


def test_a_build_leaves_artifacts_sums_and_a_record(desk: Desk) -> None:
    done = desk.build()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{desk.out}/claudineos_0.1.0.raw\n"
    names = {f"claudineos_0.1.0.{suffix}" for suffix in ("raw", "efi", "manifest", "roothash", "lock", "cdx.json")}
    assert {path.name for path in desk.out.iterdir()} == names | {"SHA256SUMS", "absence.json", "build.json"}
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=desk.out, check=True, capture_output=True)
    record = json.loads((desk.out / "build.json").read_text())
    sums = "".join(f"{digest}  {name}\n" for name, digest in record["files"].items())
    assert (desk.out / "SHA256SUMS").read_text() == sums
    assert set(record["files"]) == {path.name for path in desk.out.iterdir()} - {"SHA256SUMS", "build.json"}
    assert record["root_hash"] == "ab" * 32
    assert (
        record["partitions"][0] | {"label": "esp", "offset_bytes": 1048576, "size_bytes": 4096}
        == (record["partitions"][0])
    )
    assert record["command_lines"]["main"][-1] == "console=tty0"
    assert "\neditor no\n" in record["boot_menu"]
    assert record["throwaway_keys"] is False
    image = (desk.directory / "cache/claudineos/models").glob("*/tiny_3.raw")
    assert record["model"] == {
        "id": "tiny_3",
        "name": "tiny",
        "version": "3",
        "licence": "LicenseRef-Mine",
        "weights_sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "root_hash": "cd" * 32,
        "sha256": hashlib.sha256(content := next(image).read_bytes()).hexdigest(),
        "size_bytes": len(content),
    }
    assert (desk.out / "claudineos_0.1.0.raw").read_bytes().endswith(content), "the model's partition is the last"
    assert "Installing Debian" in done.stderr, "mkosi's steps are shown as they come"
    assert "the image has files of base, but not the text of its licence" in done.stderr


def test_the_sbom_accounts_for_the_image_that_was_built(built: Desk) -> None:
    record = json.loads((built.out / "build.json").read_text())
    sbom = json.loads((built.out / record["sbom"]).read_text())
    assert sbom["metadata"]["component"]["hashes"][0]["content"] == record["files"][record["image"]]
    components = {component["name"]: component["hashes"][0]["content"] for component in sbom["components"]}
    assert components == {
        "base": hashlib.sha256(package_bytes("base", "1:1.0")).hexdigest(),
        "shell": hashlib.sha256(package_bytes("shell", "1:1.0")).hexdigest(),
        "tiny": hashlib.sha256(WEIGHTS).hexdigest(),
        "/etc/hostname": hashlib.sha256(b"claudine\n").hexdigest(),
    }


def test_the_record_has_the_owners_certificates_and_nothing_else_of_their_files(desk: Desk) -> None:
    keys = desk.directory / "keys"
    (keys / "db.crt").write_bytes((keys / "db.crt").read_bytes() + (keys / "db.key").read_bytes())
    desk.build()
    certificates = json.loads((desk.out / "build.json").read_text())["certificates"]
    assert list(certificates) == ["PK", "KEK", "db", "verity", "pcr"]
    for role, certificate in certificates.items():
        der = ssl.PEM_cert_to_DER_cert(certificate["pem"])
        assert certificate["sha256"] == hashlib.sha256(der).hexdigest()
        assert (keys / f"{role}.crt").read_text().startswith(certificate["pem"])


def test_no_private_key_is_in_what_a_build_leaves(built: Desk) -> None:
    files = [path for place in ("build", "cache") for path in (built.directory / place).rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if b"PRIVATE KEY" in path.read_bytes()] == []


def test_nothing_is_built_again_unless_something_changed(built: Desk) -> None:
    again = built.build()
    assert "Nothing changed" in again.stderr
    assert again.stdout == f"{built.out}/claudineos_0.1.0.raw\n"
    assert (built.image_builds(), built.tools_builds()) == (1, 1)


def edit_profile(desk: Desk) -> None:
    (desk.directory / "small.yaml").write_text(PROFILE + "packages: [jq]\n")


def damage_artifact(desk: Desk) -> None:
    (desk.out / "claudineos_0.1.0.raw").write_text("damaged")


def remove_artifact(desk: Desk) -> None:
    (desk.out / "absence.json").unlink()


def damage_record(desk: Desk) -> None:
    (desk.out / "build.json").write_text("{")


def edit_model(desk: Desk) -> None:
    path = desk.directory / "models/tiny.yaml"
    path.write_text(path.read_text().replace("title: Tiny Chat", "title: Tiny Talk"))


def replace_keys(desk: Desk) -> None:
    shutil.rmtree(desk.directory / "keys")
    create_keys(desk.directory / "keys", "Other")


CHANGES = [edit_profile, edit_model, damage_artifact, remove_artifact, damage_record, replace_keys]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_always_built(built: Desk, change: Callable[[Desk], None]) -> None:
    change(built)
    done = built.build()
    assert (done.returncode, built.image_builds()) == (0, 2)


def test_refresh_starts_from_newer_packages(built: Desk) -> None:
    built.build("--refresh")
    assert " -f -f " in (built.directory / "calls").read_text().splitlines()[-1]


def damage_tools(desk: Desk) -> None:
    (program,) = (desk.directory / "cache").rglob("systemd-repart")
    program.unlink()


def halve_tools(desk: Desk) -> None:
    (inventory,) = (desk.directory / "cache").rglob("inventory")
    inventory.unlink()


@pytest.mark.parametrize("damage", [damage_tools, halve_tools])
def test_a_damaged_tools_tree_is_built_again(built: Desk, damage: Callable[[Desk], None]) -> None:
    damage(built)
    done = built.build()
    assert (done.returncode, built.tools_builds()) == (0, 3), "cleaned with mkosi, then built"
    assert "damaged" in done.stderr


FAILURES = [
    ("unknown setting", "does not know a setting", "Unknown setting Speling"),
    ("no space", "The disk is full", "mkosi.log"),
    ("no network", "There is no network", "mkosi.log"),
]


@pytest.mark.parametrize(("misbehaviour", "told", "detail"), FAILURES)
def test_a_failure_says_the_way_out_and_keeps_the_last_build(
    built: Desk, misbehaviour: str, told: str, detail: str
) -> None:
    before = (built.out / "SHA256SUMS").read_text()
    edit_profile(built)
    done = built.build(FAKE_MKOSI=misbehaviour)
    assert (done.returncode, done.stdout) == (3, "")
    assert told in done.stderr
    assert detail in done.stderr
    assert "Traceback" not in done.stderr
    assert (built.out / "SHA256SUMS").read_text() == before
    assert built.leftovers() == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing(desk: Desk, stop: signal.Signals) -> None:
    with subprocess.Popen(
        desk.command(),
        cwd=desk.directory,
        env={**desk.environment, "FAKE_MKOSI": "hang"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        build = desk.directory / "build/small"
        deadline = time.monotonic() + 20
        while not list(build.glob(".new/out/half.raw")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(stop)
        _, messages = process.communicate(timeout=20)
    assert process.returncode == 130
    assert messages.strip().endswith("claudineos: interrupted; nothing half-made was kept")
    assert desk.leftovers() == []
    assert not desk.out.exists()


def test_what_a_killed_build_left_is_cleaned_up(desk: Desk) -> None:
    left = desk.directory / "build/small/.new/out/half.raw"
    left.parent.mkdir(parents=True)
    left.touch()
    assert desk.build().returncode == 0
    assert desk.leftovers() == []


def test_the_models_image_is_made_once(built: Desk) -> None:
    edit_profile(built)
    assert "Building the model image" not in built.build().stderr
    edit_model(built)
    assert "Building the model image tiny_3" in built.build().stderr


def test_a_damaged_model_image_is_made_again(built: Desk) -> None:
    (image,) = (built.directory / "cache/claudineos/models").glob("*/tiny_3.raw")
    whole = image.read_bytes()
    image.write_bytes(b"!" + whole[1:])
    edit_profile(built)
    assert "is damaged and is made again" in built.build().stderr
    assert image.read_bytes() == whole


def test_wrong_weights_are_refused_by_name(desk: Desk) -> None:
    shutil.rmtree(desk.directory / "cache/claudineos/models")
    (desk.directory / "weights.gguf").write_bytes(WEIGHTS[:-1] + b"!")
    done = desk.build()
    assert done.returncode == 2
    assert "weights.gguf has the SHA-256" in done.stderr
    assert hashlib.sha256(WEIGHTS).hexdigest() in done.stderr
    assert not desk.out.exists()
    assert desk.leftovers() == []


def test_a_missing_key_is_told_before_anything_starts(desk: Desk) -> None:
    (desk.directory / "keys/verity.key").unlink()
    done = desk.build()
    assert done.returncode == 2
    assert "verity.key" in done.stderr
    assert not (desk.directory / "build").exists()
