"""What a claim says, and how it becomes findings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.gpt import Partition
from builder.verify.formats.malformed import MalformedError
from builder.verify.layout import SYSTEM

# What a person is told of places outside the partitions.
DISK = "disk"
_MAX_TEXT = 500


@dataclass(frozen=True)
class Claim:
    """One claim: its id, what is expected where it holds, and a sentence for each outcome."""

    id: str
    expected: str
    proves: str
    fails: str


@dataclass(frozen=True)
class Trial:
    """Collects what is wrong while a claim is tried on a disk, or on a part of one.

    trial = Trial(claim, disk)
    with trial.trying():                      what the reader of a format refuses is wrong as well
        esp = trial.within(disk.partition(ESP))
        esp.wrong("no boot sector", 0)        the offset is from the start of the part
    yield from trial.findings("all is well")  passed, with these words, if nothing was wrong
    """

    claim: Claim
    disk: Disk
    title: str = DISK
    broken: list[Finding] = field(default_factory=list)

    def within(self, partition: Partition) -> "Trial":
        """Return the same trial for what is found in a partition."""
        title = SYSTEM[partition.type].title
        nested = title if self.title == DISK else f"{self.title}, {title}"
        return replace(self, disk=self.disk.part(partition), title=nested)

    def wrong(self, found: str, offset: int, expected: str = "") -> None:
        """Note something that is wrong at this offset from the start of this disk or part."""
        claim = self.claim
        finding = Finding(claim.id, False, expected or claim.expected, found, self._where(offset), claim.fails)
        self.broken.append(replace(finding, found=_printable(found), expected=_printable(finding.expected)))

    def check_zero(self, offset: int, size: int, otherwise: str) -> None:
        """Note it as wrong if any of these bytes is not zero."""
        if (found := self.disk.first_nonzero(offset, size)) is not None:
            self.wrong(otherwise, found, "zeroes")

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Note a MalformedError as what is wrong, and go on behind the block."""
        try:
            yield
        except MalformedError as error:
            self.wrong(error.what, error.offset)

    def findings(self, found: str, offset: int = 0) -> Iterator[Finding]:
        """Yield what was wrong, or that the claim holds."""
        claim = self.claim
        if self.broken:
            yield from self.broken
        else:
            yield Finding(claim.id, True, claim.expected, found, self._where(offset), claim.proves)

    def _where(self, offset: int) -> str:
        return f"{self.title}, byte {self.disk.start + offset}"


def _printable(text: str) -> str:
    """Make text that may quote an attacker fit for a terminal and a report."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text[:_MAX_TEXT])
