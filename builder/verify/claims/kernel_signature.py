"""The kernel image's signature: kernel, initrd and command line are as the owner signed them."""

from collections.abc import Iterator

from builder.keys import Role
from builder.verify.boot import Esp, check_esp
from builder.verify.claim import Claim, Trial
from builder.verify.claims.program import check_program
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding

CLAIM = Claim(
    "uki-signature",
    expected="systemd-stub with one Authenticode signature by the owner's db certificate, and nothing behind it",
    proves="A firmware with the owner's keys starts this kernel image, whose kernel, initrd and command line are as "
    "they were when the owner signed them.",
    fails="A firmware with the owner's keys refuses this kernel image, or what it accepts is not as it was signed.",
)


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, context))


def _examine(trial: Trial, esp: Esp, context: Context) -> str:
    return check_program(trial, esp.file(esp.kernel_path), "systemd-stub", context.certificates(Role.DB))
