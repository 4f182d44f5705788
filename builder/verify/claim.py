"""What a claim says, and how it becomes a finding."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.malformed import MalformedError


@dataclass(frozen=True)
class Claim:
    """One claim: its id, what is expected where it holds, and a sentence for each outcome."""

    id: str
    expected: str
    proves: str
    fails: str

    def holds(self, found: str, where: str) -> Finding:
        """Return the finding that it holds."""
        return Finding(self.id, True, self.expected, found, where, self.proves)

    def broken(self, found: str, where: str, expected: str = "") -> Finding:
        """Return the finding that it does not hold."""
        return Finding(self.id, False, expected or self.expected, found, where, self.fails)


@dataclass
class Trial:
    """Collects what is wrong while a claim is tried.

    with Trial(claim, part, "root-verity").trying() as trial: …      what the reader of a format refuses counts as well
    yield from trial.findings("…")                                   passed, with these words, if nothing was wrong
    """

    claim: Claim
    disk: Disk
    title: str
    broken: list[Finding] = field(default_factory=list)

    def wrong(self, found: str, offset: int, expected: str = "") -> None:
        """Note something that is wrong; the offset is from the start of the disk or part that this is about."""
        self.broken.append(self.claim.broken(found, self._where(offset), expected))

    @contextmanager
    def trying(self) -> Iterator["Trial"]:
        """Note a MalformedError as what is wrong, and go on behind the block."""
        try:
            yield self
        except MalformedError as error:
            self.wrong(error.what, error.offset)

    def findings(self, found: str, offset: int = 0) -> Iterator[Finding]:
        """Yield what was wrong, or that the claim holds."""
        if self.broken:
            yield from self.broken
        else:
            yield self.claim.holds(found, self._where(offset))

    def _where(self, offset: int) -> str:
        return f"{self.title}, byte {self.disk.start + offset}"
