"""mkosi's INI dialect as values: settings with the reason for each, and the line that each came from.

[Content]
# Debian packages, nothing but what is named.
Packages=
    systemd  # the service manager
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from builder.errors import Location

INDENT = "    "


@dataclass(frozen=True)
class Item:
    """One value of a setting; `origin` is the line a person wrote it in, None where the builder decided."""

    text: str
    reason: str = ""
    origin: Location | None = None


@dataclass(frozen=True)
class Setting:
    """A key and its value, or the values of a list."""

    key: str
    items: tuple[Item, ...]
    reason: str = ""
    is_list: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a rendered file and where it comes from."""

    text: str
    origin: Location | None = None


def single(key: str, text: str, reason: str = "", origin: Location | None = None) -> Setting:
    """Make a setting that has one value."""
    return Setting(key, (Item(text, origin=origin),), reason)


def several(key: str, items: Iterable[Item], reason: str = "") -> Setting:
    """Make a setting that has a list of values; a repeated value keeps its first place."""
    first: dict[str, Item] = {}
    for item in items:
        first.setdefault(item.text, item)
    return Setting(key, tuple(first.values()), reason, is_list=True)


def lines(title: str, sections: Mapping[str, Iterable[Setting]]) -> list[Line]:
    """Write a configuration file; sections and settings without a value are left out."""
    written = [Line(f"# {text}") for text in title.splitlines()]
    for section, settings in sections.items():
        given = [setting for setting in settings if setting.items]
        if given:
            written += [Line(""), Line(f"[{section}]")]
        for setting in given:
            written += _setting(setting)
    return written


def _setting(setting: Setting) -> list[Line]:
    comment = [Line(f"# {setting.reason}")] if setting.reason else []
    if not setting.is_list:
        (item,) = setting.items
        return [*comment, Line(f"{setting.key}={item.text}", item.origin)]
    values = [
        Line(f"{INDENT}{item.text}" + (f"  # {item.reason}" if item.reason else ""), item.origin)
        for item in setting.items
    ]
    return [*comment, Line(f"{setting.key}="), *values]
