"""What was found: one finding a claim, and all of them as evidence that can be kept beside the image.

    evidence.findings[0] == Finding(
        claim="gpt", passed=True, expected="…", found="…", where="whole disk, offset 0", meaning="…"
    )

On disk it is JSON with `"schema": 1`.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from builder.errors import BuilderError

SCHEMA = 1


@dataclass(frozen=True)
class Finding:
    """One claim and whether it holds.

    `claim` is a short id that stays the same between versions. `where` names the part of the image and its offset in
    bytes from the start of the image. `meaning` is one sentence for a person: what it proves, or what its
    failure means.
    """

    claim: str
    passed: bool
    expected: str
    found: str
    where: str
    meaning: str


@dataclass(frozen=True)
class Unchecked:
    """Bytes that no claim can speak about, and why; the offset is from the start of the image."""

    offset_bytes: int
    size_bytes: int
    why: str


@dataclass(frozen=True)
class Evidence:
    """All findings of one image.

    `certificates` are the SHA-256 (64 hex digits) of the certificates it was checked with, by role or file name;
    `predicted_pcrs` the values (hex, SHA-256 bank) that a machine which boots this image has in its TPM, by register.
    """

    image: str
    size_bytes: int
    certificates: dict[str, str]
    predicted_pcrs: dict[int, str]
    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The claims that do not hold."""
        return tuple(finding for finding in self.findings if not finding.passed)

    def to_json(self) -> str:
        """Return the evidence as JSON text."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Evidence":
        """Read evidence that was kept; BuilderError if it is not evidence of this schema."""
        try:
            data: dict[str, Any] = json.loads(text)
            if (schema := data.pop("schema")) != SCHEMA:
                raise ValueError(f"its schema is {schema}, this version reads {SCHEMA}")
            findings = tuple(Finding(**finding) for finding in data.pop("findings"))
            unchecked = tuple(Unchecked(**span) for span in data.pop("unchecked"))
            predicted = {int(register): value for register, value in data.pop("predicted_pcrs").items()}
            return cls(**data, predicted_pcrs=predicted, findings=findings, unchecked=unchecked)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            hint = "Make it again, for example: claudineos verify IMAGE --evidence evidence.json"
            raise BuilderError(f"this is not the evidence of an image: {error}", hint=hint) from error
