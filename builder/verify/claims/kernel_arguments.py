"""The kernel's command line: exactly what the profile says, and the root hash of the root on the disk."""

from collections.abc import Iterator, Sequence

from builder.render.boot_entry import MAIN
from builder.verify.boot import Esp, check_esp, command_line, within
from builder.verify.claim import Claim, Trial
from builder.verify.claims.root_hash import named_root_hash
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding

CLAIM = Claim(
    "command-line",
    expected="the arguments of the profile, and the root hash of the root on this disk",
    proves="The kernel starts this root and no other, with the arguments that the profile says and no more.",
    fails="The kernel is told something that the profile does not say, or to start another root.",
)

ROOT_HASH = "roothash="

# Without these, the walls that docs/security.md speaks of do not stand; so the usual start has them whatever a record
# says. Of an argument that is there twice the last one counts, so each may be there once.
REQUIRED = (
    "ro",
    "dm_verity.require_signatures=1",
    "systemd.verity_root_options=root-hash-signature=auto",
    "systemd.restrict_filesystem_access=exec",
    "systemd.gpt_auto=no",
    "rdinit=/usr/lib/claudine/init",
    "lockdown=integrity",
    "module.sig_enforce=1",
)


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim for all ways to start the image."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, named_root_hash(disk), context))


def _examine(trial: Trial, esp: Esp, root_hash: str, context: Context) -> str:
    kernel = esp.kernel()
    recorded = (context.record or {}).get("command_lines")
    if not isinstance(recorded, dict):
        trial.wrong("no record of what the profile says", 0)
        recorded = {}
    found = []
    for number, profile in enumerate(kernel.profiles):
        with within(kernel.file):
            arguments = command_line(kernel, number)
        offset = kernel.file.position(profile.sections[".cmdline"].offset_bytes)
        _check(trial, offset, profile.id, arguments, root_hash)
        if recorded and (difference := _difference(arguments, recorded.get(profile.id))):
            trial.wrong(f"{profile.id}: {difference}", offset)
        found.append(f"{profile.id}: {len(arguments)} arguments")
    if recorded and recorded.keys() - {profile.id for profile in kernel.profiles}:
        trial.wrong("the record knows more ways to start the image", 0)
    return f"{', '.join(found)}, {ROOT_HASH}{root_hash}"


def _check(trial: Trial, offset: int, profile: str, arguments: Sequence[str], root_hash: str) -> None:
    """Check what has to be true of any profile."""
    if [argument for argument in arguments if argument.startswith(ROOT_HASH)] != [f"{ROOT_HASH}{root_hash}"]:
        trial.wrong(f"{profile}: another root hash", offset, f"{ROOT_HASH}{root_hash}")
    if profile != MAIN:
        return
    for argument in REQUIRED:
        name = argument.split("=")[0]
        if [other for other in arguments if other.split("=")[0] == name] != [argument]:
            trial.wrong(f"not {argument}, or {name} twice", offset, argument)


def _difference(arguments: Sequence[str], recorded: object) -> str:
    """Say how the arguments differ from those that the record has for this way to start the image."""
    if not isinstance(recorded, list) or not all(isinstance(argument, str) for argument in recorded):
        return "a way to start the image that the record does not know"
    found = [argument for argument in arguments if not argument.startswith(ROOT_HASH)]
    if found == recorded:
        return ""
    differences = [f"too much: {argument}" for argument in found if argument not in recorded]
    differences += [f"missing: {argument}" for argument in recorded if argument not in found]
    return ", ".join(differences) or "the same arguments in another order, or one twice"
