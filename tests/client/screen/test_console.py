"""The screen on a console: what is really written to a terminal, and what its keys really send."""

import re
from pathlib import Path

import pytest

from claudine.screen.glyphs import DRAWING
from tests.client.conftest import StartScreen
from tests.support.fake_runtime import Answer, FakeRuntime
from tests.support.screen import Screen

SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[()][0-9A-Z]|[=>78])")
FOREIGN = (
    "# “Curly” — and…\n\n> quoted\n\n1. 漢字 ✓ 🎉\n2. ▁▊▎\n\n| a | b |\n|---|---|\n| ── | ╭╮ |\n\n```\nx → y\n```\n"
)


@pytest.fixture
def console(start_screen: StartScreen) -> StartScreen:
    def start(arguments: list[str], **env: str) -> Screen:
        return start_screen(arguments, tty="tty1", plain=False, **env)

    return start  # type: ignore[return-value]


def glyphs(output: str) -> set[str]:
    return set(SEQUENCE.sub("", output)) - set("\r\n\x1b\x07")


def test_no_glyph_is_ever_drawn_that_a_console_lacks(socket: Path, console: StartScreen) -> None:
    with FakeRuntime(socket, [Answer([FOREIGN])], loads=1):
        screen = console(["chat", "--stay"])
        screen.wait_for("I am ready")
        screen.type("Grüße, «Claudine» “…” ✓\r")
        screen.wait_for("curly" if False else "quoted")
        screen.wait_for("I am ready")
        for key, seen in [("\x1b[[B", "What I can do"), ("\x1b", "F2"), ("\x1b[[A", "Keys and commands")]:
            screen.type(key)
            screen.wait_for(seen)
        latin = {chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))}
        assert glyphs(screen.output) <= latin | set(DRAWING)
        assert "漢" not in screen.output
        assert "Grüße, «Claudine»" in screen.output
