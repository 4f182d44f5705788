"""What may stand in a chat template: jinja that turns messages into a text, and nothing else.

A template is a program from a stranger that llama-server runs for each message. Here it is parsed and looked through,
and never run. What a chat template has no use for is refused: other files, names that begin with an underscore, and
characters that a person who reads the template would not see.
"""

import unicodedata

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from builder.errors import BuilderError, Location

# The longest that are in use have 20 kB.
MAX_BYTES = 1 << 17
MAX_NODES = 10_000

_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
# Characters that are not seen: controls, and those that change the direction in which the others are read.
_UNSEEN_CATEGORIES = {"Cc", "Cs", "Co", "Cn"}
_DIRECTIONS = {chr(code) for code in (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_WHITESPACE = "\n\r\t"

# The language that llama.cpp reads: blocks are trimmed, and loops may be left.
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
)


def check_chat_template(text: str, location: Location) -> None:
    """Raise a BuilderError with the reason if `text` is anything but a chat template; it is not run."""
    if reason := _objection(text):
        raise BuilderError(
            f"its chat template {reason}",
            hint="Get the model from those who made it; without a template it cannot be talked with",
            location=location,
        )


def _objection(text: str) -> str:
    # Lone surrogates have no UTF-8; they are refused by name below.
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        return f"is longer than {MAX_BYTES >> 10} KiB"
    if unseen := next((letter for letter in text if _is_unseen(letter)), None):
        return f"has the character U+{ord(unseen):04X}, which nobody sees"
    try:
        tree = _ENVIRONMENT.parse(text)
    except jinja2.TemplateSyntaxError as error:
        return f"is not jinja: line {error.lineno}: {_one_line(error.message or 'it cannot be read')}"
    except (RecursionError, ValueError, OverflowError, MemoryError) as error:
        # Nested without end, or numbers of thousands of digits: jinja's parser does not expect malice.
        return f"cannot be read: {type(error).__name__}"
    return _looked_through(tree)


def _looked_through(tree: nodes.Template) -> str:
    names: set[str] = set()
    waiting: list[nodes.Node] = [tree]
    seen = 0
    # By hand, since jinja's own search recurses as deep as the template is nested.
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            return f"has more than {MAX_NODES} parts"
        if isinstance(node, _OTHER_FILES):
            return f"wants another file in line {node.lineno}"
        if hidden := _underscored(node):
            return f"reaches for {hidden} in line {node.lineno}, which is no part of a message"
        if isinstance(node, nodes.Name):
            names.add(node.name)
        waiting.extend(node.iter_child_nodes())
    return "" if "messages" in names else "does not use messages, so it is not one"


def _underscored(node: nodes.Node) -> str:
    """Name what begins with an underscore, the way from a value to the program behind it; empty if nothing does."""
    match node:
        case nodes.Name(name=name) | nodes.Getattr(attr=name) | nodes.Getitem(arg=nodes.Const(value=str(name))):
            return _one_line(name) if name.startswith("_") else ""
        case nodes.Filter(name="attr"):
            return "attr"
        case _:
            return ""


def _is_unseen(letter: str) -> bool:
    if letter in _WHITESPACE:
        return False
    return letter in _DIRECTIONS or unicodedata.category(letter) in _UNSEEN_CATEGORIES


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:117] + "…"
