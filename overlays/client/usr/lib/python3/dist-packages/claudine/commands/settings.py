"""The machine's own settings: its keyboard, its time zone and its name, in force at once and after each start."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from claudine.commands import Command, Session
from claudine.face import Face, Option
from claudine.settings import change_settings, read_settings
from claudine.state import StateError
from claudine.voice import settings as voice

LAYOUTS = Path("/usr/share/X11/xkb/rules/base.lst")
ZONES = Path("/usr/share/zoneinfo")

# What the machine has before anybody has chosen.
FIRST_KEYBOARD = "us"
FIRST_ZONE = "UTC"
_FIRST_IN_LIST = ("de", "fr", "us")
# XKB lists a layout that is for whoever writes one, and is none.
_USER_DEFINED = "custom"

# As the state service has it: RFC 1123, section 2.1.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """A keyboard layout by its XKB name, such as ``de``; *variants* are names such as ``nodeadkeys`` with titles."""

    name: str
    title: str
    variants: tuple[tuple[str, str], ...]


def choose_keyboard(session: Session) -> None:
    """Let a layout be chosen and, where this screen has that keyboard, tried. Raises StateError, OSError."""
    layouts = read_layouts()
    before = read_settings().get("keyboard", FIRST_KEYBOARD)
    chosen = _choose_layout(session.face, layouts, before)
    if chosen is None:
        return
    name, title = chosen
    _set(session, "keyboard", name, FIRST_KEYBOARD)
    if name == before or not session.face.virtual or _is_liked(session.face, title):
        session.face.remark(voice.KEYBOARD_KEPT.format(name=title))
        return
    _set(session, "keyboard", before, FIRST_KEYBOARD)
    session.face.remark(voice.KEYBOARD_BACK)


def _is_liked(face: Face, title: str) -> bool:
    return face.ask(voice.TRY_PROMPT, about=voice.TRY_KEYBOARD.format(name=title)) is not None


def _choose_layout(face: Face, layouts: list[Layout], now: str) -> tuple[str, str] | None:
    """Return the name and the title of the layout that the person chooses, beginning at *now*."""
    name, _, variant = now.removesuffix(")").partition("(")
    options = [Option(layout.title, key=layout.name) for layout in layouts]
    start = next((place for place, layout in enumerate(layouts) if layout.name == name), 0)
    while (chosen := face.choose(voice.KEYBOARD, options, start=start)) is not None:
        layout, start = layouts[chosen], chosen
        kinds = [("", layout.title), *layout.variants]
        first = next((place for place, (kind, _) in enumerate(kinds) if layout.name == name and kind == variant), 0)
        kind = _choose_kind(face, kinds, first) if layout.variants else 0
        if kind is not None:
            variant, title = kinds[kind]
            return (f"{layout.name}({variant})" if variant else layout.name), title
    return None


def _choose_kind(face: Face, kinds: list[tuple[str, str]], start: int) -> int | None:
    options = [Option(title, "" if kind else voice.USUAL, kind) for kind, title in kinds]
    return face.choose(voice.VARIANT, options, start=start)


def read_layouts() -> list[Layout]:
    """Return XKB's layouts by title, but those that most people here have come first. Raises OSError."""
    titles: dict[str, str] = {}
    variants: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in LAYOUTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("!"):
            section = line[1:].strip()
        elif section == "layout" and len(words := line.split(None, 1)) == 2:
            titles[words[0]] = words[1]
        elif section == "variant" and len(words := line.split(None, 2)) == 3:
            variants.setdefault(words[1].removesuffix(":"), []).append((words[0], words[2]))
    titles.pop(_USER_DEFINED, None)
    names = sorted(titles, key=lambda name: (name not in _FIRST_IN_LIST, titles[name]))
    return [Layout(name, titles[name], tuple(variants.get(name, ()))) for name in names]


def choose_time_zone(session: Session) -> None:
    """Let the time zone be chosen. Raises StateError, OSError."""
    zones = read_zones()
    now = read_settings().get("time_zone", FIRST_ZONE)
    start = next((place for place, zone in enumerate(zones) if zone.key == now), 0)
    chosen = session.face.choose(voice.ZONE, zones, start=start)
    if chosen is None:
        return
    _set(session, "time_zone", zones[chosen].key, FIRST_ZONE)
    # The C library has read the old one.
    time.tzset()
    clock = time.strftime("%H:%M on %A, %d %B %Y")
    session.face.remark(voice.ZONE_KEPT.format(name=zones[chosen].title, time=clock))


def read_zones() -> list[Option]:
    """Return UTC and then the time zones of all countries, by their names. Raises OSError."""
    countries = {words[0]: words[1] for words in _table(ZONES / "iso3166.tab") if len(words) >= 2}
    zones = [
        Option(words[2].replace("_", " "), ", ".join([countries.get(words[0], words[0]), *words[3:]]), words[2])
        for words in _table(ZONES / "zone.tab")
        if len(words) >= 3
    ]
    return [Option(FIRST_ZONE, voice.UTC_NOTE, FIRST_ZONE), *sorted(zones, key=lambda zone: zone.key)]


def _table(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")


def choose_name(session: Session) -> None:
    """Ask for the machine's name. Raises StateError, OSError."""
    # The kernel tells this process the name that it was started under.
    first = os.uname().nodename
    name = read_settings().get("device_name", first)
    about = voice.NAME
    while (typed := session.face.ask(voice.NAME_PROMPT, draft=name, about=about)) is not None:
        name = typed.strip()
        if _NAME.fullmatch(name):
            _set(session, "device_name", name, first)
            session.face.remark(voice.NAME_KEPT.format(name=name))
            return
        about = voice.NAME_WRONG


def _set(session: Session, name: str, value: str, first: str) -> None:
    """Put *value* in force. The *first* one is that already, as long as nobody has chosen."""
    if value != first or name in read_settings():
        with session.face.busy(voice.APPLYING):
            change_settings(session.service, **{name: value})


@contextmanager
def saying_failure(face: Face) -> Iterator[None]:
    """End the block when the service or the disk fails, and say why."""
    try:
        yield
    except StateError as failure:
        face.remark(str(failure))
    except OSError as failure:
        face.remark(voice.NOT_STORED.format(reason=failure.strerror or failure))


def _command(name: str, title: str, choose: Callable[[Session], None]) -> Command:
    def run(session: Session, _argument: str) -> None:
        with saying_failure(session.face):
            with session.face.busy(voice.LOOKING):
                # On a desk nobody would put it in force: that is said before anything is asked.
                session.service.status()
            choose(session)

    return Command(name, title, run)


COMMANDS = (
    _command("keyboard", voice.KEYBOARD_COMMAND, choose_keyboard),
    _command("time-zone", voice.ZONE_COMMAND, choose_time_zone),
    _command("name", voice.NAME_COMMAND, choose_name),
)
