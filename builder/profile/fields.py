"""The values a profile is made of: what each may look like, said once for checks, hints and the JSON Schema.

A field's description is what a person reads when the value does not fit, so it states the rule in words.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from builder.profile.validate import refuse

Entry = TypeVar("Entry")


def _without_repeats(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    for index, entry in enumerate(entries):
        if entry in entries[:index]:
            raise refuse(f"repeats {entry}", hint="Keep one of them", at=(index,))
    return entries


def _not_empty(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    if not entries:
        raise refuse("is empty")
    return entries


def _date(text: object) -> date:
    if isinstance(text, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise refuse(f"{text!r} is not in the calendar") from None
        if day.year < 1980:
            raise refuse("is too early", hint="FAT, the EFI partition's file system, knows no date before 1980")
        return day
    raise refuse("must be a date written YYYY-MM-DD")


def _snapshot(text: str) -> str:
    try:
        datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise refuse(f"{text!r} is not in the calendar") from None
    return text


def _address(text: str, schemes: tuple[str, ...]) -> str:
    # The address is not repeated in messages: it may hold a password.
    starts = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        address = urlsplit(text)
        host, _port = address.hostname, address.port
    except ValueError:
        raise refuse("is not a web address") from None
    if "@" in address.netloc:
        raise refuse("must not hold a user name or password: it is kept in the build's record")
    if address.scheme not in schemes or not host or not re.fullmatch(r"[!-~]+", text):
        raise refuse(f"must be a web address that starts with {starts}")
    return text


def _mirror(text: str) -> str:
    address = urlsplit(_address(text, ("http", "https")))
    if address.query or address.fragment:
        raise refuse("must end with the path: no ? and no #", hint="The build adds its own paths to it")
    return text


def _download(text: str) -> str:
    return _address(text, ("https",))


def _not_the_hosts(glob: str) -> str:
    if glob.removeprefix("-") == "host":
        raise refuse("must not hold host: the image would depend on the machine that builds it")
    return glob


def _inside(text: str) -> str:
    if text.startswith("/") or any(part in ("", ".", "..") for part in text.split("/")):
        raise refuse(f"{text!r} must be a path inside the wheel, without ..")
    return text


# The order of a list matters to most of them; a repeated entry is a slip that would hide which one counts.
List = Annotated[tuple[Entry, ...], Field(strict=False), AfterValidator(_without_repeats)]
# Not min_length, which pydantic also complains of when the only entry is wrong.
FilledList = Annotated[List[Entry], AfterValidator(_not_empty)]

ProfileName = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9-]*$",
        description="A profile's name: lower-case letters, digits and dashes, starting with a letter.",
        examples=["qemu"],
    ),
]
OverlayName = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9-]*$",
        description="An overlay's name: that of its folder under overlays/.",
        examples=["runtime"],
    ),
]
PackageName = Annotated[
    str,
    Field(
        pattern="^[a-z0-9][a-z0-9+.-]+$",
        description="A Debian package's name alone: lower-case letters, digits, plus, dot and dash.",
        examples=["iproute2"],
    ),
]
SetName = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9-]*$",
        description="A set's name: lower-case letters, digits and dashes, starting with a letter.",
        examples=["storage"],
    ),
]
ModuleGlob = Annotated[
    str,
    Field(
        pattern=r"^-?[A-Za-z0-9_*?\[\]/.-]+$",
        description="A kernel module's name, a folder below kernel/ that starts and ends with a slash, or a glob; "
        "a dash before it takes modules out again.",
        examples=["/drivers/virtio/"],
    ),
    AfterValidator(_not_the_hosts),
]
KernelConsole = Annotated[
    str,
    Field(
        pattern="^(tty[0-9]{1,2}|ttyS[0-9]{1,2}(,[0-9]+([neo][78]?)?)?|hvc[0-9])$",
        description="A console as the kernel names it: tty0 for the screen, ttyS0 for the first serial port, hvc0 for "
        "a virtual machine's; a serial speed may follow after a comma.",
        examples=["ttyS0,115200"],
    ),
]
Terminal = Annotated[
    str,
    Field(
        pattern="^(tty[1-9][0-9]?|ttyS[0-9]{1,2}|hvc[0-9])$",
        description="A terminal device without /dev: tty1 for the screen, ttyS0 for the first serial port.",
        examples=["tty1"],
    ),
]
Sha256 = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{64}$",
        description="A SHA-256 digest: 64 digits, 0-9 and a-f in lower case, as sha256sum prints it.",
    ),
]
Language = Annotated[
    str,
    Field(
        pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="A language's code (BCP 47): en, de, pt-BR.",
        examples=["en"],
    ),
]
# A date arrives as text: `syntax` leaves YAML's own dates alone.
IsoDate = Annotated[date, BeforeValidator(_date)]
Snapshot = Annotated[str, Field(pattern="^[0-9]{8}T[0-9]{6}Z$"), AfterValidator(_snapshot)]
Mirror = Annotated[str, AfterValidator(_mirror)]
Download = Annotated[str, AfterValidator(_download)]
PathInWheel = Annotated[str, AfterValidator(_inside)]
