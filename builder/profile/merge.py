"""A profile laid over the one it extends."""

from builder.errors import BuilderError
from builder.profile.document import Document, KeyPath, Mark, Value, dotted


def merge(parent: Document, child: Document) -> Document:
    """Lay `child` over `parent`: mappings merge key by key, single values are replaced, lists grow.

    A list is the parent's entries followed by the child's, so that a child adds and cannot silently take away what its
    parent hardens. An entry that the parent has already is refused: it would say nothing, or ask for another order.
    The result has the child's path; each of its marks points into the file that wrote the value.
    """
    overlaid = _Overlaid(parent, child)
    data = overlaid.mapping((), dict(parent.data), dict(child.data))
    return Document(child.path, data, overlaid.marks)


class _Overlaid:
    """Builds the merged data, and collects the marks of what it takes from either side."""

    def __init__(self, parent: Document, child: Document) -> None:
        self.parent = parent
        self.child = child
        self.marks: dict[KeyPath, Mark] = {}

    def mapping(self, at: KeyPath, below: dict[str, Value], above: dict[str, Value]) -> dict[str, Value]:
        """Merge two mappings; keys keep the parent's order, new ones follow."""
        self.marks[at] = self.child.marks[at]
        merged: dict[str, Value] = {}
        for key in [*below, *(key for key in above if key not in below)]:
            where = (*at, key)
            if key not in above:
                merged[key] = self._taken(self.parent, where, below[key])
            elif key not in below:
                merged[key] = self._taken(self.child, where, above[key])
            else:
                merged[key] = self._both(where, below[key], above[key])
        return merged

    def _both(self, at: KeyPath, below: Value, above: Value) -> Value:
        # Each file was checked alone, so two kinds of value only meet where a key allows both.
        if isinstance(below, dict) and isinstance(above, dict):
            return self.mapping(at, below, above)
        if isinstance(below, list) and isinstance(above, list):
            return self._list(at, below, above)
        return self._taken(self.child, at, above)

    def _list(self, at: KeyPath, below: list[Value], above: list[Value]) -> list[Value]:
        self._taken(self.parent, at, below)
        self.marks[at] = self.child.marks[at]
        for index, entry in enumerate(above):
            if entry in below:
                first = self.parent.locate((*at, below.index(entry)))
                raise BuilderError(
                    f"{dotted(at)} has {entry} already, from {first.path.name}:{first.line}",
                    hint="Take this entry away: a list adds to the one of the profile that is extended",
                    location=self.child.locate((*at, index)),
                )
            self._taken(self.child, (*at, index), entry, into=(*at, len(below) + index))
        return below + above

    def _taken(self, document: Document, at: KeyPath, value: Value, *, into: KeyPath | None = None) -> Value:
        """Take a value and all marks below it from one side."""
        into = at if into is None else into
        for key_path, mark in document.marks.items():
            if key_path[: len(at)] == at:
                self.marks[into + key_path[len(at) :]] = mark
        return value
