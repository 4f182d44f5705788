"""YAML text → plain data and the place of every key and value.

The rules are those of YAML 1.2's core schema, and stricter where a file would surprise its reader:

- only `true` and `false` are booleans: `no`, `on` and `off` are text, and so are dates, `0o17`, `1:30` and `0x1f`;
- a key is text and appears once in its mapping;
- one document a file; no anchors, aliases, merge keys, tags or directives, so that what a line says stands in the
  line, and a file cannot unfold into more than it holds;
- at most MAX_DEPTH levels.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from builder.errors import BuilderError, Location

MAX_DEPTH = 20

KeyPath: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
# Longer digit strings (a hash, a serial number) are no quantities, and Python refuses to read the longest.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")

# What PyYAML's scanner and parser say → what it means to a person, and what to do. The first that fits is taken.
# `opening` is set where the mistake lies at the start of what was being read, not where reading stopped.
_PROBLEMS: tuple[tuple[str, bool, str, str], ...] = (
    (r"'\t'", False, "a tab stands where YAML allows only spaces", "Replace the tab with spaces"),
    (
        "mapping values are not allowed",
        False,
        "a ':' is not possible here",
        "Put text that holds ': ' in quotes; the keys of one mapping start in the same column",
    ),
    ("could not find expected ':'", True, "this key has no ':'", "Write it as key: value"),
    (
        "found unexpected end of stream",
        True,
        "the quote that opens here is never closed",
        "Close it, or take it away",
    ),
    (r"expected ',' or ']'", True, "the list that opens here is never closed", "Close it with ]"),
    (r"expected ',' or '}'", True, "the mapping that opens here is never closed", "Close it with }"),
    (
        "but found '-'",
        False,
        "a list entry stands among the keys of a mapping",
        "Put the list below a key of its own, or take the dash away",
    ),
    ("but found ']'", False, "there is a ] too many", "Take it away"),
    ("but found '}'", False, "there is a } too many", "Take it away"),
    (
        "expected <block end>",
        False,
        "the indentation of this line fits none of the lines above",
        "Entries that belong together start in the same column",
    ),
    ("cannot start any token", False, "a value cannot start with this character", "Put the value in quotes"),
    ("expected alphabetic or numeric", True, "a value cannot start with * or &", "Put the value in quotes"),
    ("unknown escape character", False, "a backslash in double quotes starts an escape", "Use single quotes"),
)


@dataclass(frozen=True)
class Mark:
    """Where a value stands, and its key; an entry of a list, which has no key, is its own."""

    key: Location
    value: Location


def compose(text: str, path: Path) -> tuple[Value, dict[KeyPath, Mark]]:
    """Read one YAML document: its data, and a mark for each value by key path, `()` being the whole.

    A file that says nothing gives None. Anything against the rules above is a BuilderError with its place in `path`.
    """
    reader = _Reader(path)
    try:
        data = reader.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise _explained(error, path) from error
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        raise BuilderError(
            f"the control character U+{ord(text[error.position]):04X} cannot stand in YAML",
            hint="Take it away, or write it as an escape in double quotes",
            location=Location(path, len(lines), len(lines[-1]) + 1),
        ) from error
    return data, reader.marks


class _Reader:
    """Walks PyYAML's events, which know nothing yet of types, aliases or merging."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.marks: dict[KeyPath, Mark] = {}

    def document(self, events: Iterator[Any]) -> Value:
        data: Value = None
        count = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > 1:
                    raise self._refusal(event, "a second document starts here", "Keep one document in a file")
                if event.version or event.tags:
                    raise self._refusal(
                        event, "YAML directives are not used here", "Take the line that starts with % away"
                    )
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, events, (), None)
        return data

    def _node(self, event: Any, events: Iterator[Any], at: KeyPath, key: Location | None) -> Value:
        """Read the value that `event` starts; `key` is the place of its key, if it has one."""
        if event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise self._refusal(
                event,
                f"{sign}{event.anchor} is an alias or anchor, which are not used here",
                "Write the value out; if text is meant, put it in quotes",
            )
        if event.tag is not None:
            raise self._refusal(
                event, f"the tag {event.tag} is not used here", "Write the plain value; quotes make it text"
            )
        if len(at) > MAX_DEPTH:
            raise self._refusal(event, f"this is nested more than {MAX_DEPTH} levels deep", "Take levels away")
        here = self._place(event)
        self.marks[at] = Mark(key or here, here)
        if isinstance(event, yaml.ScalarEvent):
            return _plain(event.value) if event.style is None else str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, at)
        return self._mapping(events, at)

    def _sequence(self, events: Iterator[Any], at: KeyPath) -> list[Value]:
        entries: list[Value] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            entries.append(self._node(event, events, (*at, len(entries)), None))
        return entries

    def _mapping(self, events: Iterator[Any], at: KeyPath) -> dict[str, Value]:
        entries: dict[str, Value] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event)
            if key in entries:
                first = self.marks[(*at, key)].key.line
                raise self._refusal(
                    event, f"the key {key!r} is here a second time, after line {first}", "Keep one of them"
                )
            entries[key] = self._node(next(events), events, (*at, key), self._place(event))
        return entries

    def _key(self, event: Any) -> str:
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None and event.tag is None:
            key = _plain(event.value) if event.style is None else str(event.value)
            if key == "<<" and event.style is None:
                raise self._refusal(event, "merge keys (<<) are not used here", "Write the keys out")
            if isinstance(key, str):
                return key
        raise self._refusal(
            event, "a key must be plain text", "Put it in quotes if it looks like a number or a constant"
        )

    def _place(self, event: Any) -> Location:
        return Location(self.path, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refusal(self, event: Any, message: str, hint: str) -> BuilderError:
        return BuilderError(message, hint=hint, location=self._place(event))


def _plain(text: str) -> Value:
    """Give an unquoted scalar its type."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return text


def _explained(error: yaml.MarkedYAMLError, path: Path) -> BuilderError:
    problem = error.problem or "it cannot be read"
    message, hint, opening = f"this is not valid YAML: {problem}", "", False
    for fragment, at_opening, meaning, advice in _PROBLEMS:
        if fragment in problem:
            message, hint, opening = meaning, advice, at_opening
            break
    mark = error.context_mark if opening and error.context_mark else error.problem_mark or error.context_mark
    location = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
    return BuilderError(message, hint=hint, location=location)
