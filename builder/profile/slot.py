"""What a pydantic model says about the place at a key path: its keys, its choices, its description."""

from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from builder.profile.syntax import KeyPath


@dataclass(frozen=True)
class Slot:
    """A place in a model: the type that belongs there, and the field's documentation, either None where unknown."""

    annotation: Any = None
    field: FieldInfo | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a mapping that stands here."""
        return tuple(_fields(self.annotation))

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that may stand here, where they are few."""
        return tuple(map(str, get_args(self.annotation))) if get_origin(self.annotation) is Literal else ()

    @property
    def advice(self) -> str:
        """What the place is for, and a value that would work."""
        example = f"For example: {_spelt(self.field.examples[0])}" if self.field and self.field.examples else ""
        return f"{self._description} {example}".strip()

    @property
    def quoted_example(self) -> str:
        """A text that would work, in quotes; empty where none is known."""
        return f'"{self.field.examples[0]}"' if self.field and self.field.examples else ""

    @property
    def _description(self) -> str:
        if self.field and self.field.description:
            return self.field.description
        return (self.annotation.__doc__ or "") if _fields(self.annotation) else ""


def slot_at(model: type[BaseModel], key_path: KeyPath) -> Slot:
    """Find the place that `key_path` leads to from the top of `model`."""
    slot = Slot(model)
    for part in key_path:
        slot = _below(slot.annotation, part)
    return slot


def _below(annotation: Any, part: str | int) -> Slot:
    if isinstance(part, str):
        field = _fields(annotation).get(part)
        return _bare(field.annotation, field) if field else Slot()
    if get_origin(annotation) in (tuple, list):
        return _bare(get_args(annotation)[0], None)
    return Slot()


def _fields(annotation: Any) -> dict[str, FieldInfo]:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in annotation.model_fields.items()}


def _bare(annotation: Any, field: FieldInfo | None) -> Slot:
    """Take away what surrounds a type: `Annotated[…]`, whose documentation is kept, and `… | None`."""
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        documented = [extra for extra in extras if isinstance(extra, FieldInfo)]
        return _bare(inner, field or (documented[0] if documented else None))
    if NoneType in get_args(annotation):
        return _bare(next(one for one in get_args(annotation) if one is not NoneType), field)
    return Slot(annotation, field)


def _spelt(example: object) -> str:
    return f"[{', '.join(map(str, example))}]" if isinstance(example, list) else str(example)
