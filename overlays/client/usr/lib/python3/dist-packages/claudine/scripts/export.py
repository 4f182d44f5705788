"""Conversations as a file in a folder, or on standard output."""

import argparse
import json
from pathlib import Path

from claudine.plain.interrupts import Interrupts
from claudine.plain.terminal import Terminal
from claudine.scripts import STORE_FAILED, WRONG_USE, store_directory
from claudine.store import GoneError, Store, StoreError
from claudine.store.transfer import ALL_CHATS, TransferError, export, file_name, texts
from claudine.voice import chats as voice


def run(options: argparse.Namespace, terminal: Terminal, _interrupts: Interrupts) -> int:
    """Write one conversation or all of them."""
    store = Store(store_directory(options))
    try:
        chats = store.each() if options.chat is None else iter([store.read(options.chat)])
        if options.directory == "-":
            for text in texts(chats, options.format):
                terminal.say(text, end="")
            return 0
        name = ALL_CHATS if options.chat is None else file_name(store.read(options.chat).title)
        path = export(chats, Path(options.directory), options.format, name)
    except GoneError:
        terminal.complain(voice.NO_SUCH_CHAT.format(id=options.chat))
        return WRONG_USE
    except (StoreError, TransferError) as failure:
        terminal.complain(str(failure))
        return STORE_FAILED
    terminal.say(json.dumps({"file": str(path)}) if options.json else str(path))
    return 0
