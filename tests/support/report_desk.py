"""A desk with all that a report is made of: a tiny image, and what its build, its tests and its checking left."""

import json
import struct
import zlib
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from builder.deliver.report import read_inputs, render_page
from builder.image import Artifacts, OwnerCertificate
from builder.verify import Evidence, Finding
from tests.support.model_image import Owner
from tests.support.tiny_image import LABEL, tiny_system

IMAGE_SHA256 = "1a" * 32
CHAIN = (
    *("boot-loader-signature", "uki-signature", "uki-sections", "command-line", "pcr-signature"),
    *("root-hash", "root-signature", "model-gpt", "model-root-hash", "model-root-signature", "model-weights"),
)
XHTML = "{http://www.w3.org/1999/xhtml}"


@dataclass
class Desk:
    """`words` is written wherever an image or its maker chooses the words."""

    directory: Path
    words: str = "plain"
    evidence: Evidence = field(init=False)

    def __post_init__(self) -> None:
        self.out = self.directory / "build/qemu/out"
        self.out.mkdir(parents=True)
        self.image = self.out / f"{LABEL}.raw"
        self.image.write_bytes(signed_image())
        findings = (*(self.finding(claim) for claim in CHAIN), self.finding("sbom"))
        predicted = {4: "44" * 32, 7: "77" * 32, 11: "bb" * 32}
        size = self.image.stat().st_size
        self.evidence = Evidence(self.image.name, size, {"db": "db" * 32, "verity": "ee" * 32}, predicted, findings, ())
        self.write("build.json", asdict(self.record()))
        self.write(f"{LABEL}.manifest", {"packages": [self.package(number) for number in range(30)]})
        self.write(f"{LABEL}.cdx.json", self.sbom())
        self.report = self.directory / "build/qemu/test/test-report.json"
        self.write(self.report, self.test_report())
        self.add_picture("screen-first-run")

    def finding(self, claim: str, *, passed: bool = True) -> Finding:
        return Finding(claim, passed, self.words, self.words, self.words, self.words)

    def breaking(self, claim: str) -> Evidence:
        """The evidence in which one claim does not hold."""
        broken = [replace(one, passed=one.claim != claim) for one in self.evidence.findings]
        return replace(self.evidence, findings=tuple(broken))

    def record(self) -> Artifacts:
        return Artifacts(
            profile=self.words,
            version="0.1.0",
            image=self.image.name,
            uki=f"{LABEL}.efi",
            manifest=f"{LABEL}.manifest",
            sbom=f"{LABEL}.cdx.json",
            root_hash="40" * 32,
            command_lines={},
            boot_menu="",
            inputs_digest="",
            profile_digest="",
            source_date="2026-11-01",
            model={"id": self.words, "licence": self.words},
            certificates={"db": OwnerCertificate("db" * 32, ""), "pcr": OwnerCertificate("cc" * 32, "")},
            throwaway_keys=True,
            tools={"mkosi": self.words},
            partitions=(),
            timings_s={},
            files={self.image.name: IMAGE_SHA256},
            rendered={},
        )

    def package(self, number: int) -> dict[str, Any]:
        return {"name": f"{self.words}-{number}", "version": self.words, "architecture": "amd64", "size": number << 20}

    def sbom(self) -> dict[str, Any]:
        component = {"type": "library", "name": self.words, "licenses": [{"expression": self.words}]}
        metadata: dict[str, Any] = {"component": {"properties": []}}
        return {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": metadata, "components": [component]}

    def test_report(self) -> dict[str, Any]:
        unit = {"name": self.words, "start_s": 4.0, "seconds": 2.5}
        boot = {"firmware_and_loader": 18, "kernel": 5.4, "initrd": 8.3, "userspace": 22, "units": [unit]}
        settings = [
            {"set": True, "name": "PrivateTmp="},
            {"set": False, "name": "SystemCallFilter=~@mount"},
            {"set": False, "name": f"SystemCallFilter=~{self.words}"},
            {"set": None, "name": "IPAddressDeny="},
        ]
        return {
            "image": LABEL,
            "image_sha256": IMAGE_SHA256,
            "accelerator": "tcg",
            "started": "2026-11-25T18:09:37+00:00",
            "seconds": 955.7,
            "finished": True,
            "checks": [
                {"topic": "boot", "name": "secure boot is on", "outcome": "passed", "message": ""},
                {"topic": "disk", "name": self.words, "outcome": "failed", "message": self.words},
            ],
            "notes": {"unit_security": {f"{self.words}.service": settings}, "first_boot": boot},
        }

    def write(self, name: str | Path, data: object) -> None:
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data))

    def add_picture(self, name: str, more_bytes: int = 0) -> None:
        path = self.report.parent / "pictures" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        header = struct.pack(">II5B", 1, 1, 8, 0, 0, 0, 0)
        pixel = zlib.compress(b"\0\0") + bytes(more_bytes)
        chunks = [(b"IHDR", header), (b"IDAT", pixel), (b"IEND", b"")]
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))

    def page(self, evidence: Evidence | None = None) -> bytes:
        return render_page(read_inputs(self.image, evidence or self.evidence, self.out, self.report))

    def read_page(self, evidence: Evidence | None = None) -> ElementTree.Element:
        """The page as a program reads it, which fails where it is not well-formed."""
        return ElementTree.fromstring(self.page(evidence))


def words_of(element: ElementTree.Element) -> str:
    """The words of an element, on one line."""
    return " ".join(" ".join(element.itertext()).split())


@cache
def signed_image() -> bytes:
    """Somebody's image; to make a key takes a while."""
    return tiny_system(Owner("Ada")).to_bytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def section(page: ElementTree.Element, name: str) -> str:
    """The words of a section, on one line."""
    [found] = page.iterfind(f".//{XHTML}section[@id='{name}']")
    return words_of(found)
