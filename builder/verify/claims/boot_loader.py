"""The boot loader: systemd-boot, twice the same, signed by the owner."""

from collections.abc import Iterator

from builder.keys import Role
from builder.verify.boot import BOOT_LOADERS, Esp, check_esp
from builder.verify.claim import Claim, Trial
from builder.verify.claims.program import check_program
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding

CLAIM = Claim(
    "boot-loader-signature",
    expected="systemd-boot, twice the same, with one Authenticode signature by the owner's db certificate",
    proves="A firmware with the owner's keys starts this boot loader, and it is as it was when the owner signed it.",
    fails="A firmware with the owner's keys refuses this boot loader, or what it accepts is not as it was signed.",
)


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim for both copies."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, context))


def _examine(trial: Trial, esp: Esp, context: Context) -> str:
    found = [
        check_program(trial, esp.file(path), "systemd-boot", context.certificates(Role.DB)) for path in BOOT_LOADERS
    ]
    if len(set(found)) != 1:
        trial.wrong("two boot loaders that differ", esp.file(BOOT_LOADERS[1]).position(0))
    return found[0]
