"""A YAML file that a person wrote, and where each thing in it stands.

    document = load_document(Path("profiles/qemu.yaml"))
    document.data["boot"]["console"]               # ["ttyS0"]
    document.locate(("boot", "console", 0))        # profiles/qemu.yaml:14:7
    document.locate_key(("boot", "console"))       # profiles/qemu.yaml:13:3

The rules of the language are in `syntax`; this module reads the file. Used for profiles and for overlays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuilderError, Location
from builder.profile.syntax import KeyPath, Mark, Value, compose

__all__ = ["Document", "KeyPath", "Mark", "Value", "dotted", "load_document"]


@dataclass(frozen=True)
class Document:
    """The data of a file and the marks of its values, by key path: `("boot", "console", 0)`.

    A document merged from several files has the path of the one that was asked for, while its marks point into all.
    """

    path: Path
    data: Mapping[str, Value]
    marks: Mapping[KeyPath, Mark]

    def locate(self, key_path: KeyPath) -> Location:
        """Find the value at `key_path`, or the nearest one that encloses it where the file has no such value."""
        return self._nearest_mark(key_path).value

    def locate_key(self, key_path: KeyPath) -> Location:
        """Find the key of the value at `key_path`; for an entry of a list, the entry."""
        return self._nearest_mark(key_path).key

    def _nearest_mark(self, key_path: KeyPath) -> Mark:
        for length in range(len(key_path), -1, -1):
            if (mark := self.marks.get(key_path[:length])) is not None:
                return mark
        return Mark(Location(self.path), Location(self.path))


def load_document(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Raises BuilderError, with the place where there is one, for a file that cannot be read, is not UTF-8, says nothing,
    breaks a rule of `syntax`, or holds something else than a mapping.
    """
    data, marks = compose(_text(path), path)
    if data is None:
        raise BuilderError("the file says nothing", hint="Write key: value lines into it", location=Location(path, 1))
    if not isinstance(data, dict):
        what = "a list" if isinstance(data, list) else "a single value"
        raise BuilderError(f"the file holds {what}, not key: value lines", location=marks[()].value)
    return Document(path, data, marks)


def dotted(key_path: KeyPath) -> str:
    """Spell a key path as people do: `boot.console[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key_path).removeprefix(".")


def _text(path: Path) -> str:
    # A device or a pipe would be read without end.
    if path.exists() and not path.is_file():
        what = "a directory" if path.is_dir() else "not a regular file"
        raise BuilderError(f"this is {what}", hint="Name a YAML file", location=Location(path))
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise BuilderError("there is no such file", location=Location(path)) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BuilderError(f"the file cannot be read: {reason}", location=Location(path)) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig").split("\n")
        raise BuilderError(
            f"the byte 0x{raw[error.start]:02x} is not UTF-8",
            hint=f"Save the file as UTF-8, for example with: iconv -f latin1 -t utf-8 {path.name}",
            location=Location(path, len(before), len(before[-1]) + 1),
        ) from error
