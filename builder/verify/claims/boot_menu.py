"""The boot menu: nobody edits the command line, and nothing is listed that is not a part of the signed kernel image."""

from collections.abc import Iterator

from builder.verify.boot import BOOT_MENU, Esp, check_esp, within
from builder.verify.claim import Claim, Trial
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding
from builder.verify.formats.malformed import MalformedError

CLAIM = Claim(
    "boot-menu",
    expected="the settings of the build, without an editor and without entries that it finds by itself",
    proves="The boot loader offers the signed kernel image only, and nobody changes its command line.",
    fails="Somebody at the machine may be offered another way to start it; what the firmware starts is signed even so.",
)

# What each setting may be; all of them have to be there (loader.conf(5)).
_SETTINGS = {
    "timeout": {"0", "menu-disabled"},
    "editor": {"no"},
    "auto-entries": {"no"},
    "auto-firmware": {"no"},
    "secure-boot-enroll": {"manual", "if-safe", "force"},
}
_MAX_BYTES = 4096


def check(disk: Disk, context: Context) -> Iterator[Finding]:
    """Try the claim. Comments are compared with the record's, if there is one."""
    yield from check_esp(CLAIM, disk, lambda trial, esp: _examine(trial, esp, context))


def _examine(trial: Trial, esp: Esp, context: Context) -> str:
    file = esp.file(BOOT_MENU)
    with within(file):
        if file.size_bytes > _MAX_BYTES:
            raise MalformedError(f"{file.size_bytes} bytes", 0)
        content = file.read(0, file.size_bytes)
        if not content.isascii():
            raise MalformedError("something else than plain text", 0)
    text = content.decode()
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    settings = {words[0]: words[1] for words in lines if len(words) == 2}
    for name, allowed in _SETTINGS.items():
        if settings.get(name) not in allowed:
            trial.wrong(f"{name} {settings.get(name)}", file.position(0), f"{name} {' or '.join(sorted(allowed))}")
    if len(lines) != len(settings) or settings.keys() - _SETTINGS.keys():
        trial.wrong("a setting that no image has, or one twice", file.position(0))
    built = (context.record or {}).get("boot_menu", text)
    if text != built:
        trial.wrong("another text than the build's", file.position(0), repr(built))
    return ", ".join(f"{name} {value}" for name, value in settings.items())
