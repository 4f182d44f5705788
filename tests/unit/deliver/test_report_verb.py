"""`claudineos report` as a person uses it."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builder.cli.report import command
from builder.errors import BuilderError
from tests.support.report_desk import Desk
from tests.support.tiny_image import LABEL


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path)
    (tmp_path / "evidence.json").write_text(desk.evidence.to_json())
    monkeypatch.chdir(tmp_path)
    return desk


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def test_it_writes_the_page_and_prints_its_path(desk: Desk) -> None:
    done = report("build/qemu/out/claudineos_0.1.0.raw", "--evidence", "evidence.json")
    assert (done.exit_code, done.stdout) == (0, "report.html\n")
    page = Path("report.html").read_bytes()
    assert page == desk.page()
    report("--evidence", "evidence.json", "-o", "newest.html")
    assert Path("newest.html").read_bytes() == page, "without IMAGE it is the newest build"


def test_it_checks_the_image_itself_and_says_what_failed(desk: Desk, owners_certificate: Path) -> None:
    done = report(desk.image, "--cert", owners_certificate)
    assert done.exit_code == 0
    assert "findings failed; the page names them" in done.stderr
    assert b"somebody-else.crt" in Path("report.html").read_bytes()


@pytest.fixture
def owners_certificate(tmp_path: Path) -> Path:
    from cryptography.hazmat.primitives.serialization import Encoding

    from tests.support.model_image import Owner

    path = tmp_path / "somebody-else.crt"
    path.write_bytes(Owner("Bob").certificate.public_bytes(Encoding.PEM))
    return path


def test_an_image_elsewhere_is_shown_with_what_its_build_left(desk: Desk) -> None:
    moved = desk.image.rename(desk.directory / "sda")
    (desk.directory / "moved.json").write_text(replace(desk.evidence, image="sda").to_json())
    report(moved, "--evidence", "moved.json", "--artifacts", desk.out)
    page = Path("report.html").read_text()
    assert "30 Debian packages" in page
    assert "There is no " not in page


MISTAKES = [
    (["--evidence", "none.json"], "none.json cannot be read"),
    (["--evidence", "build/qemu/out/build.json"], "not the evidence of an image"),
    (["--evidence", "evidence.json", "-o", "build"], "cannot be written"),
    (["--evidence", "evidence.json", "-o", "nowhere/report.html"], "cannot be written"),
]


@pytest.mark.parametrize(("arguments", "told"), MISTAKES)
def test_a_mistake_is_told_and_no_page_is_left(desk: Desk, arguments: list[str], told: str) -> None:
    with pytest.raises(BuilderError, match=told):
        report(desk.image, *arguments)
    assert not list(desk.directory.glob("*.html*"))


def test_evidence_of_another_image_is_refused(desk: Desk) -> None:
    desk.image.write_bytes(desk.image.read_bytes() + bytes(512))
    with pytest.raises(BuilderError, match="the evidence is of"):
        report(desk.image, "--evidence", "evidence.json")


def test_the_certificates_of_the_evidence_are_not_named_again(desk: Desk) -> None:
    assert report(desk.image, "--evidence", "evidence.json", "--cert", "x.crt").exit_code == 2


GARBLED = [
    ("build.json", '{"profile": 7}', "not the record of a build"),
    (
        f"{LABEL}.manifest",
        '{"packages": [{"name": "x", "version": "1", "architecture": "all", "size": "much"}]}',
        "size",
    ),
    (f"{LABEL}.cdx.json", '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}]}', "the SBOM says"),
    (f"{LABEL}.cdx.json", "[]", "not the SBOM"),
    ("../test/test-report.json", "{}", "not a report of claudineos test"),
    ("../test/test-report.json", "\udcff", "not a report of claudineos test"),
]


@pytest.mark.parametrize(("name", "content", "told"), GARBLED)
def test_a_file_that_is_not_what_its_name_says_is_refused(desk: Desk, name: str, content: str, told: str) -> None:
    (desk.out / name).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(BuilderError, match=told) as refused:
        report(desk.image, "--evidence", "evidence.json")
    assert refused.value.hint
    assert not Path("report.html").exists()
