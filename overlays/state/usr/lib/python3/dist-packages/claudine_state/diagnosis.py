"""From facts to what is wrong, and to what a person can do about it."""

from dataclasses import dataclass
from enum import Enum, auto

from claudine_state.facts import Facts
from claudine_state.header import Header


class Kind(Enum):
    """What is wrong."""

    NO_TPM = auto()
    NOT_CREATED = auto()
    NO_HEADER = auto()
    ERASED = auto()
    FOREIGN_HEADER = auto()
    TPM_MISSING = auto()
    PCR7_CHANGED = auto()
    NO_SIGNATURE = auto()
    OTHER_TPM = auto()
    TPM_REFUSES = auto()
    LOCKED = auto()
    DAMAGED = auto()
    OTHER = auto()


class Offer(Enum):
    """What can be done; the value is its key."""

    UNLOCK = "k"
    REPAIR = "f"
    START_OVER = "e"
    RESTART = "r"
    POWER_OFF = "p"


@dataclass(frozen=True)
class Problem:
    """What is wrong, and what can be done about it, the best first."""

    kind: Kind
    offers: tuple[Offer, ...]


_LEAVE = (Offer.RESTART, Offer.POWER_OFF)
_START_OVER = (Offer.START_OVER, *_LEAVE)
_UNLOCK = (Offer.UNLOCK, *_START_OVER)


def diagnose(facts: Facts) -> Problem:
    """Say what is wrong. Looks from the outside in: what failed first explains the rest."""
    if facts.is_mounted:
        return Problem(Kind.OTHER, _LEAVE)
    if facts.is_open:
        return Problem(Kind.DAMAGED, (Offer.REPAIR, *_START_OVER))
    if not facts.has_partition:
        needs_tpm = facts.unlock == "tpm2" and not facts.has_tpm
        return Problem(Kind.NO_TPM if needs_tpm else Kind.NOT_CREATED, _LEAVE)
    if facts.header is None:
        return Problem(Kind.NO_HEADER, _START_OVER)
    if not facts.header.keyslots:
        return Problem(Kind.ERASED, _START_OVER)
    if facts.unlock == "passphrase":
        return Problem(Kind.LOCKED, _UNLOCK)
    if not facts.header.sealed:
        # Whoever replaced the header knows its recovery key, so that key must not make this disk ours.
        return Problem(Kind.FOREIGN_HEADER, _START_OVER)
    return Problem(_refusal(facts, facts.header), _UNLOCK)


def _refusal(facts: Facts, header: Header) -> Kind:
    """Say why the TPM does not unlock a disk that was sealed to one."""
    if not facts.has_tpm:
        return Kind.TPM_MISSING
    if not facts.has_signature:
        return Kind.NO_SIGNATURE
    if header.sealed_pcr7 is None or facts.pcr7 is None:
        return Kind.TPM_REFUSES
    return Kind.OTHER_TPM if header.sealed_pcr7.lower() == facts.pcr7 else Kind.PCR7_CHANGED
