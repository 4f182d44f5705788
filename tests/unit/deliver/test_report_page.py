"""The report of an image: it says what was found, what is missing, and runs nothing that an image brought."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from builder.deliver.report.pictures import MOST_BYTES
from builder.deliver.report.words import MOST_LETTERS, share, size, visible
from builder.verify import Unchecked
from tests.support.report_desk import XHTML, Desk, section, words_of
from tests.support.tiny_image import LABEL


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def states(page: ElementTree.Element) -> dict[str, str]:
    """What the drawing says of each link."""
    description = page.find(f".//{XHTML}desc[@id='wide-text']")
    assert description is not None
    pairs = ((description.text or "").removesuffix(". ")).split(". ")
    return {name: state for name, _, state in (pair.partition(": ") for pair in pairs)}


def headline(page: ElementTree.Element) -> str:
    [header] = page.iter(f"{XHTML}header")
    return words_of(header)


def test_an_image_whose_claims_hold_is_said_to_be_what_it_was_signed_as(desk: Desk) -> None:
    page = desk.read_page()
    assert "All 12 findings passed" in headline(page)
    assert "throw-away keys" in headline(page)
    assert states(page) == {
        "Firmware": "yours to enrol",
        "systemd-boot": "holds",
        "Kernel image": "holds",
        "Root": "holds",
        "systemd": "holds",
        "Model": "holds",
        "TPM": "on the machine",
        "State, /var": "holds",
    }


BROKEN = {
    "boot-loader-signature": (["systemd-boot"], ["Kernel image", "Root", "systemd", "Model", "State, /var"]),
    "uki-signature": (["Kernel image"], ["Root", "systemd", "Model", "State, /var"]),
    "uki-sections": (["Kernel image"], ["Root", "systemd", "Model", "State, /var"]),
    "root-hash": (["Root"], ["systemd", "Model"]),
    "root-signature": (["Root"], ["systemd", "Model"]),
    "command-line": (["systemd"], ["Model"]),
    "model-weights": (["Model"], []),
    "pcr-signature": (["State, /var"], []),
    "sbom": ([], []),
}


@pytest.mark.parametrize("claim", BROKEN)
def test_what_is_behind_a_broken_link_is_in_doubt(desk: Desk, claim: str) -> None:
    page = desk.read_page(desk.breaking(claim))
    broken, in_doubt = BROKEN[claim]
    assert "1 of 12 findings says that something is wrong" in headline(page)
    assert [name for name, state in states(page).items() if state == "broken"] == broken
    assert [name for name, state in states(page).items() if state == "rests on a broken link"] == in_doubt
    assert re.search(f"What it means failed {claim}", section(page, "findings")), "failed ones come first"


def test_a_link_that_nothing_was_found_about_is_not_said_to_hold(desk: Desk) -> None:
    page = desk.read_page(replace(desk.evidence, findings=()))
    assert "Nothing was checked" in headline(page)
    assert set(states(page).values()) == {"yours to enrol", "on the machine", "not checked"}


def test_the_partitions_are_those_of_the_image_and_to_scale(desk: Desk) -> None:
    unchecked = (Unchecked(4096, 8192, "room behind the last partition"),)
    page = desk.read_page(replace(desk.evidence, unchecked=unchecked))
    words = section(page, "disk")
    assert "claudine-model_tiny_1 the language model, a signed image of its own" in words
    assert "8.2 kB at byte 4,096: room behind the last partition" in words
    [strip] = (svg for svg in page.iter(f"{XHTML}svg") if svg.get("class") == "strip")
    parts = [rect for rect in strip.iter(f"{XHTML}rect") if (rect.get("class") or "").startswith("part ")]
    spans = [(float((rect.get("x") or "")[:-1]), float((rect.get("width") or "")[:-1])) for rect in parts]
    assert len(spans) == 5
    assert all(at >= 0 and width >= 0.25 and at + width <= 100.001 for at, width in spans)


def test_a_damaged_partition_table_is_said(desk: Desk) -> None:
    content = bytearray(desk.image.read_bytes())
    content[512:520] = b"EFI BART"
    desk.image.write_bytes(content)
    assert "no partition table that can be read" in section(desk.read_page(), "disk")


def test_services_packages_licences_boots_and_screens_are_shown(desk: Desk) -> None:
    page = desk.read_page()
    assert "plain.service 1 of 3 SystemCallFilter (@mount, plain)" in section(page, "hardening")
    assert "1 passed, 1 failed, 0 skipped" in section(page, "hardening")
    assert "30 Debian packages" in section(page, "packages")
    assert "10 others" in section(page, "packages")
    assert "1 licences" in section(page, "licences")
    assert "First start 54 s" in section(page, "boot")
    [picture] = page.iter(f"{XHTML}img")
    assert (picture.get("src") or "").startswith("data:image/png;base64,iVBORw0KGgo")
    assert picture.get("alt") == "The screen of the tested machine: first run"


MISSING = {
    "build.json": (["headline"], "claudineos build"),
    f"{LABEL}.manifest": (["packages"], "claudineos build"),
    f"{LABEL}.cdx.json": (["licences"], "claudineos build"),
    "../test/test-report.json": (["hardening", "boot", "screens"], f"claudineos test {LABEL}.raw"),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_named_with_the_command_that_makes_it(desk: Desk, name: str) -> None:
    (desk.out / name).unlink()
    page = desk.read_page()
    sections, command = MISSING[name]
    for where in sections:
        words = headline(page) if where == "headline" else section(page, where)
        assert f"There is no {Path(name).name}" in words
        assert command in words


def test_with_nothing_but_the_image_there_is_still_a_page(desk: Desk) -> None:
    for path in (*desk.out.iterdir(), desk.report):
        if path != desk.image:
            path.unlink()
    assert LABEL in headline(desk.read_page())


def test_the_tests_of_another_image_are_not_shown(desk: Desk) -> None:
    desk.write(desk.report, desk.test_report() | {"image_sha256": "2b" * 32})
    page = desk.read_page()
    assert "that of another build" in section(page, "hardening")
    assert list(page.iter(f"{XHTML}img")) == []


def test_a_report_of_an_older_version_is_shown_as_far_as_it_goes(desk: Desk) -> None:
    old = desk.test_report() | {"notes": {"first_boot_s": 91.5}}
    for check in old["checks"]:
        del check["topic"]
    desk.write(desk.report, old)
    page = desk.read_page()
    assert "all checks" in section(page, "hardening")
    assert "did not record where the time went" in section(page, "boot")


def test_pictures_that_do_not_fit_are_named(desk: Desk) -> None:
    desk.add_picture("screen-large", MOST_BYTES)
    (desk.report.parent / "pictures/not-one.png").write_bytes(b"GIF89a" + bytes(40))
    (desk.report.parent / "pictures/short.png").write_bytes(b"\x89PNG")
    page = desk.page()
    assert len(page) < 2_000_000
    assert "There was no room for screen-large.png" in section(ElementTree.fromstring(page), "screens")
    assert b"not-one" not in page


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    here, there = Desk(tmp_path / "here"), Desk(tmp_path / "there")
    there.image.write_bytes(here.image.read_bytes())
    assert here.page() == there.page()


def test_the_page_needs_nothing_else(desk: Desk) -> None:
    page = desk.page().decode()
    assert "<script" not in page
    assert not re.search(r"""(?:src|href|url\(|@import)\s*[=(]?\s*["']?(?!data:|#)https?:""", page)
    addresses = re.findall(r"https?://[^\s\"'<]+", page)
    assert set(addresses) == {"http://www.w3.org/1999/xhtml"}


HOSTILE = (
    "</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    "{{7*7}}{%x%}]]>&lt;--> \u202egnp\x00\x1b[2J"
)


def test_hostile_words_are_shown_and_do_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HOSTILE)
    page = desk.read_page(desk.breaking("uki-signature"))
    plain = Desk(tmp_path / "plain").read_page()
    elements = {element.tag for element in page.iter()}
    assert elements <= {element.tag for element in plain.iter()} | {f"{XHTML}strong"}
    attributes = {(name, value) for element in page.iter() for name, value in element.attrib.items()}
    assert not [name for name, _ in attributes if name.lower().startswith("on")]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    text = words_of(page)
    assert visible(HOSTILE) in text
    assert not {"\u202e", "\x00", "\x1b"} & set(text)
    assert "49{%x%}" not in text


def test_words_without_end_are_cut(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "endless " * 40_000)
    assert len(desk.page()) < 500_000
    assert visible("x" * (MOST_LETTERS + 7)).endswith(" … (7 more letters)")


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (999, "999 B"), (16_384, "16.4 kB"), (124_387_328, "124 MB"), (5 * 10**12, "5.0 TB")],
)
def test_sizes_have_three_digits_that_count(size_bytes: int, words: str) -> None:
    assert size(size_bytes) == words


def test_a_small_share_is_not_nothing() -> None:
    assert [share(0, 100), share(1, 10_000), share(1, 3), share(1, 0)] == ["0.0 %", "< 0.1 %", "33.3 %", "0.0 %"]


def test_bars_of_impossible_times_stay_on_the_axis(desk: Desk) -> None:
    report = desk.test_report()
    report["notes"]["first_boot"] |= {"kernel": -5, "firmware_and_loader": 1e12}
    desk.write(desk.report, json.loads(json.dumps(report)))
    widths = [
        float(value[:-1])
        for value in re.findall(r'class="phase p\d" x="[\d.]+%" width="([\d.-]+%)"', desk.page().decode())
    ]
    assert widths and all(0 <= width <= 100 for width in widths)
