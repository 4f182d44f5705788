"""Which keys there are, from the table of commands: there is no second list. And that each comes in its turn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Key
from textual.widget import Widget

from claudine.voice import screen as voice

if TYPE_CHECKING:
    from claudine.commands import Command


async def obey(widget: Widget, event: Key) -> None:
    """Do at once what a key is bound to, when it comes to the *widget* that has the keyboard.

    By itself, Textual lets such a key go up to the app first, and letters that are typed right behind it overtake it.
    """
    for node in (widget.app, widget.screen, widget):
        for binding in node._bindings.key_to_bindings.get(event.key, ()):
            event.stop()
            event.prevent_default()
            await widget.app.run_action(binding.action, node)
            return


# A narrow screen has no room for all of them, and these lead to all the rest or must be found in a hurry.
_FIRST = ("f1", "f2", "f3", "f4", "f10", "ctrl+n")


def bind(node: DOMNode, commands: Sequence["Command"]) -> None:
    """Let the key of each command run it, where *node* is."""
    for command in commands:
        if command.key:
            binding = Binding(command.key, f"app.command('{command.name}')")
            node._bindings.key_to_bindings.setdefault(command.key, []).insert(0, binding)


def shown(key: str) -> str:
    """Return a key as the footer shows it: ``F3``, ``Ctrl+N``."""
    return "+".join(part.capitalize() for part in key.split("+")) if key else ""


def footer(commands: Sequence["Command"]) -> list[str]:
    """Return what stands in the footer: what one looks for there first, and as much of the rest as fits."""
    pairs = {"f2": voice.MENU_KEY, **{command.key: command.name for command in commands if command.key}}
    first = [key for key in _FIRST if key in pairs]
    rest = sorted(pairs.keys() - first, key=lambda key: (not key.startswith("f"), len(key), key))
    return [f"{shown(key)} {pairs[key]}" for key in [*first, *rest]]


def page(commands: Sequence["Command"], *, stays: bool) -> str:
    """Return the help page."""
    listed = [(shown(command.key), f"/{command.name} {command.argument}", command.title) for command in commands]
    width = max(len(name) for _, name, _ in listed) + 2
    rows = [f" {key:<8}{name:<{width}}{title}" for key, name, title in listed]
    more = voice.HELP_KEYS if stays else f"{voice.HELP_KEYS}\n{voice.HELP_LEAVE}"
    return f"{voice.HELP_ABOUT}\n{more}\n\n" + "\n".join(rows)
