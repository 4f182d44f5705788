"""`diff` and `reproduce` as a person or a script calls them."""

import json
from dataclasses import fields
from pathlib import Path
from typing import get_origin

import pytest
from click.testing import CliRunner, Result

from builder.cli import cli
from builder.compare import reproduce
from builder.errors import BuilderError
from builder.image import Artifacts
from builder.keys import create_keys
from builder.profile import load_profile
from builder.render import OVERLAYS_DIR, render
from tests.support.model_image import Owner
from tests.support.tiny_image import LABEL
from tests.unit.compare.conftest import LOCK_FACTS, TinyBuild

LOCK = f"{LOCK_FACTS}\n[root]\n\n[initrd]\n\n[mkosi]\n\n[tools]\n"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def changed(owner: Owner, tmp_path: Path) -> Path:
    build = TinyBuild(owner)
    build.boot.kernel.arguments = (*build.boot.kernel.arguments, "debug")
    build.packages["dash"] = "0.5.14-1"
    return build.write(tmp_path / "changed")


def test_images_that_are_the_same_say_so(original: Path) -> None:
    found = invoke("diff", original, original / f"{LABEL}.raw")
    assert (found.return_value, found.stdout) == (0, "Nothing differs.\n")


def test_a_difference_is_told_in_the_summary_and_at_its_place(original: Path, changed: Path) -> None:
    found = invoke("diff", original, changed)
    assert found.return_value == 1
    assert "  ~ dash  0.5.13-1 → 0.5.14-1\n" in found.stdout
    assert "  + debug\n" in found.stdout
    assert f"  ~ ESP → /EFI/Linux/{LABEL}.efi → .cmdline  content\n      +debug\n" in found.stdout


def test_a_script_gets_json(original: Path, changed: Path) -> None:
    found = json.loads(invoke("diff", original, changed, "--json").stdout)
    assert (found["schema"], found["same"]) == (1, False)
    assert found["packages"] == [{"name": "dash", "a": "0.5.13-1", "b": "0.5.14-1"}]
    assert ["ESP", f"/EFI/Linux/{LABEL}.efi", ".cmdline"] in [one["place"] for one in found["differences"]]


@pytest.fixture
def published(original: Path, tmp_path: Path) -> Path:
    """A directory with an image, its record and its lock, as if `qemu` had been built with keys that nobody has."""
    out = tmp_path / "published"
    out.mkdir()
    for path in original.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    (out / f"{LABEL}.lock").write_text(LOCK)
    return out


def write_record(out: Path, **changes: object) -> None:
    """Write a build.json that says what is needed here, and nothing of all else."""
    plan = render(load_profile("qemu"), OVERLAYS_DIR)
    nothing = {field.name: (get_origin(field.type) or field.type)() for field in fields(Artifacts)}  # type: ignore[operator]
    said = {"profile": "qemu", "image": f"{LABEL}.raw", "profile_digest": plan.digest, "rendered": plan.digests}
    (out / "build.json").write_text(json.dumps(nothing | said | changes))


def rendered_otherwise() -> dict[str, str]:
    digests = render(load_profile("qemu"), OVERLAYS_DIR).digests
    del digests["mkosi.initrd.conf"]
    return digests | {"mkosi.conf": "0" * 64, "mkosi.extra/etc/backdoor": "0" * 64}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"image": "another.raw"}, "is that of another.raw"),
        ({"profile": "../../etc/passwd"}, "names '../../etc/passwd' as its profile"),
        ({"profile": "no-such-profile"}, "there is no profile"),
        ({}, "certificates and the files that enrol them cannot be found"),
    ],
)
def test_an_image_with_other_evidence_is_refused(
    published: Path, tmp_path: Path, changes: dict[str, object], complaint: str
) -> None:
    write_record(published, **changes)
    with pytest.raises(BuilderError, match=complaint):
        reproduce(published / f"{LABEL}.raw", tmp_path / "work", None)


def test_what_this_repository_renders_otherwise_is_named_before_anything_is_built(
    published: Path, tmp_path: Path
) -> None:
    write_record(published, profile_digest="0" * 64, rendered=rendered_otherwise())
    with pytest.raises(BuilderError) as refused:
        reproduce(published / f"{LABEL}.raw", tmp_path / "work", None)
    assert refused.value.message.splitlines()[1:] == [
        "  mkosi.conf: differs",
        "  mkosi.extra/etc/backdoor: only in the image's",
        "  mkosi.initrd.conf: only here",
    ]
    assert not (tmp_path / "work").exists()


def test_the_keys_of_somebody_else_are_refused(published: Path, tmp_path: Path) -> None:
    write_record(published)
    with pytest.raises(BuilderError, match="is not the one that signed the image"):
        reproduce(published / f"{LABEL}.raw", tmp_path / "work", create_keys(tmp_path / "keys", "Mallory"))


def test_an_image_without_evidence_cannot_be_reproduced(original: Path, tmp_path: Path) -> None:
    with pytest.raises(BuilderError, match="no finished build"):
        reproduce(original / f"{LABEL}.raw", tmp_path / "work", None)
