"""A document against a pydantic model: the model, or one error with its place, in a person's words.

    overlay = validate(load_document(path), Overlay)

The first problem of the file is reported: an unknown key before what it leaves missing, then in the order of lines.
Descriptions and examples of the model's fields become the hints, so a rule is written once.
A model's own validators raise `refuse(…)`.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from builder.errors import BuilderError, Location
from builder.profile.document import Document, KeyPath, dotted
from builder.profile.nearest import nearest
from builder.profile.slot import slot_at

Model = TypeVar("Model", bound=BaseModel)

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping (key: value lines)",
    "model_type": "a mapping (key: value lines)",
}
_BOUNDS = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
}
_REFUSED = "refused"


class StrictModel(BaseModel):
    """What the models of files that people write share: frozen, no unknown keys, no conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def refuse(message: str, *, hint: str = "", at: KeyPath = ()) -> PydanticCustomError:
    """Make the error that a model's validator raises.

    `message` continues the key's name ("… must not hold a password"). `at` is the way from the validated value to the
    part that is wrong: `(2,)` for the third entry of a list, `("version",)` for a key of a section.
    """
    return PydanticCustomError(_REFUSED, "{message}", {"message": message, "hint": hint, "at": at})


def validate(document: Document, model: type[Model]) -> Model:
    """Turn a complete document into its model, or raise a BuilderError that points at the first mistake."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise _first_error(document, model, error.errors(include_url=False)) from None


def check_written(document: Document, model: type[BaseModel]) -> None:
    """Check what stands in a document that may leave keys to others, such as a profile that extends one."""
    try:
        model.model_validate(document.data)
    except ValidationError as error:
        if written := [details for details in error.errors(include_url=False) if details["type"] != "missing"]:
            raise _first_error(document, model, written) from None


def _first_error(document: Document, model: type[BaseModel], errors: list[ErrorDetails]) -> BuilderError:
    def order(details: ErrorDetails) -> tuple[bool, int, int]:
        location = _location(document, details)
        return details["type"] == "missing", location.line, location.column

    first = min(errors, key=order)
    message, hint = _in_words(first, _key_path(first), model)
    return BuilderError(message, hint=hint, location=_location(document, first))


def _key_path(details: ErrorDetails) -> KeyPath:
    return (*details["loc"], *details.get("ctx", {}).get("at", ()))


def _location(document: Document, details: ErrorDetails) -> Location:
    key_path = _key_path(details)
    if details["type"] == "extra_forbidden":
        return document.locate_key(key_path)
    if details["type"] != "missing":
        return document.locate(key_path)
    # What is missing belongs into the file that was asked for, even where a parent wrote the section around it.
    around = document.locate_key(key_path[:-1])
    return around if around.path == document.path else Location(document.path)


def _in_words(details: ErrorDetails, key_path: KeyPath, model: type[BaseModel]) -> tuple[str, str]:
    """Say what is wrong, and what would be right."""
    kind, name, slot = details["type"], dotted(key_path), slot_at(model, key_path)
    context: Mapping[str, Any] = details.get("ctx", {})
    told = _told(details["input"])
    if kind == _REFUSED:
        return f"{name} {context['message']}".lstrip(), context["hint"] or slot.advice
    if kind == "extra_forbidden":
        return _unknown_key(key_path, model)
    if kind == "missing":
        return f"{name} is missing", f"Add it. {slot.advice}"
    if kind == "string_type" and isinstance(details["input"], bool | int | float):
        # Quotes help here, and not where a list or a mapping stands in the place of text.
        example = f", as in {slot.quoted_example}" if slot.quoted_example else ""
        return f"{name} must be text, not {told}", f"Put it in quotes{example}"
    if kind in _TYPES:
        return f"{name} must be {_TYPES[kind]}, not {told}", slot.advice
    if kind in _BOUNDS:
        return f"{name} must be {_BOUNDS[kind].format(**context)}, not {told}", slot.advice
    if kind == "literal_error":
        return f"{name} cannot be {told}", nearest(str(details["input"]), slot.choices, what=f"Values of {name}")
    if kind == "value_error":
        return f"{name}: {context['error']}".removeprefix(": "), slot.advice
    # Patterns and lengths: the field's description says the rule in words.
    return f"{name} cannot be {told}", slot.advice


def _unknown_key(key_path: KeyPath, model: type[BaseModel]) -> tuple[str, str]:
    section, key = dotted(key_path[:-1]), str(key_path[-1])
    message = f"unknown key {key!r}" + (f" in {section}" if section else "")
    if owners := [owner for owner in slot_at(model, ()).keys if key in slot_at(model, (owner,)).keys]:
        return message, f"{key} is a key of {' and of '.join(owners)}"
    what = f"Keys of {section}" if section else "Keys"
    return message, nearest(key, slot_at(model, key_path[:-1]).keys, what=what)


def _told(value: object) -> str:
    """Name a value as it stands in the file."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "…")
        case dict():
            return "a mapping"
        case _:
            return "a list"
