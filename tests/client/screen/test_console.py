"""The screen on a console: what is really written to a terminal, and what its keys really send."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from claudine.screen.glyphs import DRAWING
from claudine.voice import GREETING
from tests.client.conftest import COMMAND, ENV, disguise
from tests.support.fake_runtime import Answer, FakeRuntime
from tests.support.screen import Screen

Start = Callable[..., Screen]

LATIN = {chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))}
FOREIGN = """\
# “Curly” and…

> quoted

1. 漢字 ✓ 🎉
2. ▁▊▎

| a  | b  |
|----|----|
| ━━ | ╭╮ |

```
x → y
```

The end."""
F1, F2 = "\x1b[[A", "\x1b[[B"


@pytest.fixture
def start(socket: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(*arguments: str, tty: str = "tty1", term: str = "linux", columns: int = 80) -> Screen:
            folder = disguise(tmp_path_factory.mktemp("disguise"), tty)
            env = {**ENV, "HOME": str(tmp_path), "TERM": term, "PYTHONPATH": f"{ENV['PYTHONPATH']}:{folder}"}
            return stack.enter_context(Screen([*COMMAND, "--socket", str(socket), *arguments], env, columns=columns))

        yield start


def test_no_glyph_is_ever_drawn_that_a_console_lacks(socket: Path, start: Start) -> None:
    with FakeRuntime(socket, [Answer([FOREIGN, "\n"])]):
        screen = start("chat", "--stay")
        screen.wait_for("I am ready")
        screen.type("Grüße, «Claudine» “…” ✓\r")
        screen.wait_for("The end.")
        for key, seen in [(F2, "What I can do"), ("\x1b", "The end."), (F1, "Keys and commands"), ("\x1b", "The end.")]:
            screen.type(key)
            screen.wait_for(seen)
        glyphs = set(screen.shown) - set("\r\n")
        assert glyphs <= LATIN | set(DRAWING)
        assert "Grüße, «Claudine»" in screen.output


def test_the_greeting_stands_there_until_the_screen_does(start: Start) -> None:
    screen = start("chat", "--stay")
    assert screen.wait_for("understand.").replace("\r", "") == GREETING.strip()
    screen.wait_for("I am waiting for my runtime to start")


def test_it_is_not_ready_before_its_model_is(socket: Path, start: Start) -> None:
    with FakeRuntime(socket, loads=3):
        screen = start()
        screen.wait_for("I am loading my model")
        assert "I am ready" not in screen.output
        screen.wait_for("I am ready")


def test_no_key_of_a_console_leaves_an_appliance(socket: Path, start: Start) -> None:
    with FakeRuntime(socket):
        screen = start("chat", "--stay")
        screen.wait_for("I am ready")
        for key in ("\x03", "\x04", "\x1a", "\x1c", "\x11", "\x10", "\x13", "\x1b"):
            screen.type(key)
            screen.settle()
        screen.type("Still there?\r")
        screen.wait_for("Paris.")
        assert screen.is_running()


def test_a_desk_is_left_with_ctrl_d_and_its_terminal_is_as_before(socket: Path, start: Start) -> None:
    with FakeRuntime(socket):
        screen = start()
        screen.wait_for("I am ready")
        screen.type("\x04")
        assert screen.wait_for_end() == 0
        assert "Traceback" not in screen.output
        assert screen.output.rfind("\x1b[?1049l") > screen.output.rfind("\x1b[?1049h")
        assert screen.output.rfind("\x1b[?25h") > screen.output.rfind("\x1b[?25l")


@pytest.mark.parametrize("stay", [["--stay"], []])
def test_a_terminal_that_hangs_up_ends_it(socket: Path, start: Start, stay: Sequence[str]) -> None:
    with FakeRuntime(socket, [Answer(["on and "], "hang")]) as server:
        screen = start("chat", *stay)
        screen.wait_for("I am ready")
        screen.type("For ever?\r")
        screen.wait_for("on and")
        assert screen.hang_up() == 0
        assert server.client_left.wait(5)


@pytest.mark.parametrize(
    ("terminal", "arguments"),
    [
        ({"tty": "ttyS0"}, []),
        ({"tty": "hvc0"}, ["chat", "--stay"]),
        ({"tty": "tty1", "term": "dumb"}, []),
        ({"tty": "tty1"}, ["--plain"]),
        ({"tty": "tty1"}, ["chat", "--plain"]),
    ],
)
def test_where_no_screen_is_expected_it_talks_in_lines(
    socket: Path, start: Start, terminal: dict[str, str], arguments: Sequence[str]
) -> None:
    with FakeRuntime(socket):
        screen = start(*arguments, **terminal)
        screen.wait_for("You: ")
        assert "\x1b[?1049h" not in screen.output
        assert "cannot draw" not in screen.output


def test_where_a_screen_does_not_fit_it_says_so_and_talks_in_lines(socket: Path, start: Start) -> None:
    with FakeRuntime(socket):
        screen = start(columns=59)
        screen.wait_for("[I cannot draw my screen here (it takes 60 columns and 16 rows), so I talk in lines.]")
        screen.wait_for("You: ")


def test_without_textual_it_talks_in_lines(
    socket: Path, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with FakeRuntime(socket):
        screen = start(tty="tty1'\nimport sys\nsys.modules['textual'] = None\n'")
        screen.wait_for("[I cannot draw my screen here (Textual is not installed), so I talk in lines.]")
        screen.wait_for("You: ")


def test_a_fault_at_the_start_is_one_sentence(socket: Path, start: Start) -> None:
    with FakeRuntime(socket):
        screen = start(tty="tty1'\nimport sys\nsys.modules['textual.app'] = None\n'")
        screen.wait_for_pattern(r"\[I cannot draw my screen here \(.*textual.app.*\), so I talk in lines")
        screen.wait_for("You: ")
        assert "Traceback" not in screen.output
