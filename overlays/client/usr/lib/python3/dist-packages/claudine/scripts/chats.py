"""The list of conversations, one a line: id, date, title; or one JSON object a line."""

import argparse
import json
from dataclasses import asdict

from claudine.plain.interrupts import Interrupts
from claudine.plain.terminal import Terminal
from claudine.scripts import STORE_FAILED, store_directory
from claudine.store import Store, StoreError
from claudine.voice import chats as voice


def run(options: argparse.Namespace, terminal: Terminal, _interrupts: Interrupts) -> int:
    """List them all, or those in which the words stand."""
    store = Store(store_directory(options))
    try:
        chats = store.chats() if options.search is None else store.search(options.search)
    except StoreError as failure:
        terminal.complain(str(failure))
        return STORE_FAILED
    for chat in chats:
        if options.json:
            terminal.say(json.dumps(asdict(chat)))
        else:
            note = [voice.PINNED] if chat.pinned else []
            rest = "  ".join([voice.day(chat.changed_at) or "-", chat.title or voice.UNTITLED, *note, chat.excerpt])
            terminal.say(f"{chat.id}  {rest}".rstrip())
    return 0
