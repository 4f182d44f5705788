"""What a run of the suite found, and the file it is written to.

The file is written anew after each check, so that a run that is killed has a report of what ran until then.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from builder.image.artifacts import SUMS

REPORT = "test-report.json"
JUNIT = "junit.xml"
ARTEFACTS = "artefacts"
PICTURES = "pictures"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Check:
    """One check that ran: `outcome` is passed, failed or skipped; `message` says why unless it passed.

    `topic` is what the check's file is about, in words; `artefacts` are paths relative to the report's directory.
    """

    group: str
    topic: str
    name: str
    outcome: str
    seconds: float
    message: str
    artefacts: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """The image under test, as far as its file and those beside it tell; "" for what they do not."""

    image: str
    root_hash: str
    image_sha256: str

    @classmethod
    def of(cls, image: Path) -> "Subject":
        """Describe an image by what its build left beside it; nothing is read from the image itself."""
        sums = (line.split("  ", 1) for line in _text(image.with_name(SUMS)).splitlines())
        digests = {name: digest for digest, name in sums}
        return cls(image.stem, _text(image.with_suffix(".roothash")).strip(), digests.get(image.name, ""))


@dataclass
class Report:
    """A run of the suite while it grows.

    `finished` says that it came to its end; if it did not, `failure` may say why.
    """

    subject: Subject
    accelerator: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished: bool = False
    failure: str = ""
    checks: list[Check] = field(default_factory=list)
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return round((datetime.now(UTC) - self.started).total_seconds(), 1)

    def having(self, outcome: str) -> list[Check]:
        """Return the checks with an outcome."""
        return [check for check in self.checks if check.outcome == outcome]

    def write(self, directory: Path) -> None:
        """Write the report, whole or not at all."""
        beside = directory / f".{REPORT}.new"
        beside.write_text(json.dumps(self._data(), indent=2, ensure_ascii=False) + "\n")
        beside.replace(directory / REPORT)

    def _data(self) -> Mapping[str, object]:
        return {
            "schema": SCHEMA_VERSION,
            **asdict(self.subject),
            "accelerator": self.accelerator,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "finished": self.finished,
            "failure": self.failure,
            "checks": [asdict(check) for check in self.checks],
            "notes": self.notes,
        }


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
