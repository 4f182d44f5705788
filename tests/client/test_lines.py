"""The conversation in flat text, typed on a real pseudo-terminal."""

import re
import subprocess
import time
from pathlib import Path

import pytest

from claudine.voice import GREETING, ready
from tests.client.conftest import COMMAND, ENV, StartScreen
from tests.support.fake_runtime import Answer, FakeRuntime, Refuse, overflow

PROMPT = "You: "
# What readline itself sends: switching bracketed paste on and off.
PASTE_MODE = re.compile(r"\x1b\[\?2004[hl]")


def test_it_greets_says_that_the_model_loads_and_answers(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, [Answer(["Par", "is."], progress=[(0, 8)], hold_s=0.1)], loads=2):
        screen = start_screen()
        assert screen.wait_for("understand.").replace("\r", "") == GREETING.strip()
        screen.wait_for("I am loading my model: 0 s")
        screen.wait_for("[My model is tiny.gguf.]")
        screen.wait_for(PROMPT)
        screen.type("What is the capital of France?\r")
        screen.wait_for("I am reading, 0 %: 0 s")
        screen.wait_for("Claudine: Paris.\r\n")
        screen.wait_for(PROMPT)
        screen.type("\x04")
        assert screen.wait_for_end() == 0


@pytest.mark.parametrize(("waited_s", "said"), [(0.9, "."), (65.0, ", ready after 1 min 5 s.")])
def test_how_long_the_model_took_is_said_if_anybody_noticed(waited_s: float, said: str) -> None:
    assert ready("tiny", waited_s) == f"My model is tiny{said}"


def test_the_screen_is_up_before_the_runtime_is(socket: Path, start_screen: StartScreen) -> None:
    screen = start_screen()
    screen.wait_for("I am waiting for my runtime to start: 0 s")
    screen.type("What I type meanwhile")
    time.sleep(0.1)
    with FakeRuntime(socket) as server:
        screen.wait_for(PROMPT)
        screen.type(" is kept.\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(0) == ["What I type meanwhile is kept."]


def test_ctrl_c_while_waiting_leaves_a_desk(socket: Path, start_screen: StartScreen) -> None:
    screen = start_screen()
    screen.wait_for("waiting for my runtime")
    screen.type("\x03")
    assert screen.wait_for_end() == 130
    assert "Traceback" not in screen.output


def test_ctrl_c_stops_an_answer_and_keeps_what_was_said(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, [Answer(["One, two, "], "hang"), Answer(["three."])]) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("Count.\r")
        screen.wait_for("Claudine: One, two, ")
        screen.type("\x03\x03\x03")
        screen.wait_for("[I stopped.]")
        screen.wait_for(PROMPT)
        assert server.client_left.wait(5)
        screen.type("Go on.\r")
        screen.wait_for("Claudine: three.")
        assert server.texts(1) == ["Count.", "One, two, ", "Go on."]
        assert "Traceback" not in screen.output


def test_ctrl_c_before_the_first_word_gives_the_message_back(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, [Answer([], "hang"), Answer(["Yes."])]) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("Are you there\r")
        screen.wait_for("I am working on the answer")
        assert server.asked.wait(5)
        screen.type("\x03")
        screen.wait_for("Your message is back on the line.]")
        screen.wait_for(PROMPT + "Are you there")
        screen.type("?\r")
        screen.wait_for("Claudine: Yes.")
        assert server.texts(1) == ["Are you there?"]


def test_ctrl_c_at_the_prompt_clears_the_line(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("never mind")
        screen.wait_for("never mind")
        screen.settle()
        screen.type("\x03")
        screen.wait_for(PROMPT)
        screen.type("Where?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(0) == ["Where?"]


def test_an_appliance_stays_whatever_key_is_pressed(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen(["chat", "--stay"])
        screen.wait_for(PROMPT)
        screen.type("\x04")
        screen.wait_for("There is nothing behind me on this screen, so I stay.")
        screen.wait_for(PROMPT)
        screen.settle()
        screen.type("\x1a\x1c\x03")
        screen.wait_for(PROMPT)
        screen.type("Where?\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        assert screen.is_running()
        assert "Traceback" not in screen.output


def test_an_appliance_takes_a_message_before_its_runtime_is_there(socket: Path, start_screen: StartScreen) -> None:
    screen = start_screen(["chat", "--stay"])
    screen.wait_for(PROMPT)
    screen.type("Where?\r")
    screen.wait_for("I am waiting for my runtime to start: 0 s")
    with FakeRuntime(socket, loads=2) as server:
        screen.wait_for("[My model is tiny.gguf")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(0) == ["Where?"]


def test_ctrl_c_while_an_appliance_waits_gives_the_message_back(socket: Path, start_screen: StartScreen) -> None:
    screen = start_screen(["chat", "--stay"])
    screen.wait_for(PROMPT)
    screen.type("Where\r")
    screen.wait_for("waiting for my runtime")
    screen.type("\x03")
    screen.wait_for(PROMPT + "Where")
    with FakeRuntime(socket) as server:
        screen.type("?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(0) == ["Where?"]


def test_an_appliance_stays_where_a_desk_gives_up(socket: Path, start_screen: StartScreen) -> None:
    socket.symlink_to(socket)
    desk = start_screen()
    assert desk.wait_for_end() == 3
    assert "I cannot use my runtime: " in desk.output
    appliance = start_screen(["chat", "--stay"])
    appliance.wait_for(PROMPT)
    appliance.type("Where?\r")
    appliance.wait_for("I cannot use my runtime: ")
    appliance.wait_for(PROMPT + "Where?")
    appliance.type("\x03\x04")
    time.sleep(0.1)
    assert appliance.is_running()
    assert "Traceback" not in appliance.output


def test_half_an_answer_is_kept_and_the_conversation_goes_on(socket: Path, start_screen: StartScreen) -> None:
    cases = [
        (Answer(["1 "], "close"), "[My runtime broke off in the middle of this answer.]"),
        (Answer(["2 "], "malformed"), "[My runtime sent something that I cannot read.]"),
        (Answer(["3 "], "error"), "[My runtime refused this: out of [31mmemory]"),
        (Answer(["4 "], "length"), "[I reached the limit of what I can say in one answer.]"),
    ]
    with FakeRuntime(socket, [answer for answer, _ in cases]) as server:
        screen = start_screen()
        for answer, remark in cases:
            screen.wait_for(PROMPT)
            screen.type("Go on.\r")
            screen.wait_for(f"Claudine: {answer.pieces[0]}\r\n{remark}")
        screen.wait_for(PROMPT)
    assert server.texts(3) == ["Go on.", "1 ", "Go on.", "2 ", "Go on.", "3 ", "Go on."]
    assert "Traceback" not in screen.output


def test_a_message_without_an_answer_is_back_on_the_line(socket: Path, start_screen: StartScreen) -> None:
    cases: list[tuple[Answer | Refuse, str]] = [
        (Answer([], "close"), "[My runtime broke off in the middle of this answer.]"),
        (Refuse(500, b"?"), "[My runtime refused this with HTTP status 500 and gave no reason.]"),
        (overflow(900, 512), "[Your message is too long for me: 900 tokens, and I can hold 512 at once."),
    ]
    with FakeRuntime(socket, [*(refusal for refusal, _ in cases), Answer()]) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("Where?")
        for _, remark in cases:
            screen.type("\r")
            screen.wait_for(remark)
            screen.wait_for(PROMPT + "Where?")
        screen.type("\r")
        screen.wait_for("Claudine: Paris.")
    assert server.texts(3) == ["Where?"]
    assert "Traceback" not in screen.output


def test_a_runtime_that_restarts_is_waited_for(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket):
        screen = start_screen()
        screen.wait_for(PROMPT)
    screen.type("Where?\r")
    screen.wait_for("I am waiting for my runtime to start: 0 s")
    with FakeRuntime(socket, [Refuse(503, b'{"error":{"code":503}}'), Answer()], loads=1) as server:
        screen.wait_for("I am loading my model")
        screen.wait_for("[My model is tiny.gguf")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(1) == ["Where?"]
    assert "Traceback" not in screen.output


def test_how_to_make_room_is_the_person_s_choice(socket: Path, start_screen: StartScreen) -> None:
    script: list[Answer | Refuse] = [Answer(["A1"]), overflow(600, 512), Answer(["A2"])]
    with FakeRuntime(socket, script) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("Q1\r")
        screen.wait_for("Claudine: A1")
        screen.wait_for(PROMPT)
        screen.type("Q2\r")
        screen.wait_for("[That is 600 tokens, and I can hold 512 at once.]")
        screen.wait_for("2  Leave out the oldest: ")
        screen.wait_for("goes back): ")
        screen.type("2\r")
        screen.wait_for("Claudine: A2")
        assert server.texts(1) == ["Q1", "A1", "Q2"]
        assert server.texts(2) == ["Q2"]


def test_whoever_makes_no_room_has_the_message_back(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, [Answer(["A1"]), overflow(600, 512)]):
        screen = start_screen()
        for question in ("Q1", "Q2"):
            screen.wait_for(PROMPT)
            screen.type(f"{question}\r")
        screen.wait_for("goes back): ")
        screen.settle()
        screen.type("\x03")
        screen.wait_for(PROMPT + "Q2")


def test_the_context_is_mentioned_when_it_fills(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket, n_ctx=10) as server:
        screen = start_screen()
        for _ in range(3):
            screen.wait_for(PROMPT)
            screen.type("Where?\r")
            screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        assert screen.output.count("[Our conversation fills 80 % of what I can hold at once. /context") == 1
        screen.type("/context\r")
        screen.wait_for("takes 8 of the 10 tokens that I can hold at once: 80 %.")
        screen.wait_for("goes back): ")
        screen.type("leave out\r")
        screen.wait_for("goes back): ")
        screen.type("\r")
        screen.wait_for("[From now on I leave out our oldest messages")
        screen.wait_for(PROMPT)
        screen.type("And now?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(2) == ["Where?", "Paris."] * 2 + ["Where?"]
        assert len(server.texts(3)) < 7


def test_new_forgets_the_conversation_and_keeps_the_lines(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("My secret is 42.\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        screen.type("/new\r")
        screen.wait_for("[We start afresh.]")
        screen.wait_for(PROMPT)
        screen.type("\x1b[A Really?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(1) == ["My secret is 42. Really?"]


def test_after_a_private_conversation_its_lines_are_gone_too(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("/private\r")
        screen.wait_for(PROMPT)
        screen.type("My secret is 42.\r")
        screen.wait_for("Claudine: Paris.")
        screen.wait_for(PROMPT)
        screen.type("/new\r")
        screen.wait_for("[We start afresh.]")
        screen.wait_for(PROMPT)
        screen.type("\x1b[A\x1b[A\x1b[AWhere?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(-1) == ["Where?"]


def test_commands_are_single_words_and_unknown_ones_are_not_sent(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket) as server:
        screen = start_screen()
        screen.wait_for(PROMPT)
        screen.type("/help\r")
        screen.wait_for("/edit [text]            Change your last message\r\n")
        screen.wait_for("Press Enter to go on")
        screen.type("\r")
        screen.wait_for("/reset ")
        screen.wait_for(PROMPT)
        screen.type("/sing\r")
        screen.wait_for("[I do not know /sing. /help says what I understand.]")
        screen.wait_for(PROMPT)
        screen.type("/etc/passwd is what?\r")
        screen.wait_for("Claudine: Paris.")
        assert server.texts(0) == ["/etc/passwd is what?"]


def test_a_script_goes_back_and_on(socket: Path) -> None:
    script = [Answer([f"A{number}"]) for number in range(1, 6)]
    said = "Q1\n/again\n/other\nQ2\n/edit Q3\n/go-on\n/back\n/persona Be brief.\n/settings seed 7\n/again\n"
    with FakeRuntime(socket, script) as server:
        done = subprocess.run(
            [*COMMAND, "--socket", str(socket), "--plain"],
            input=said,
            capture_output=True,
            text=True,
            env=ENV,
            timeout=10,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert [server.texts(number) for number in range(6)] == [
        ["Q1"],
        ["Q1"],
        ["Q1", "A1", "Q2"],
        ["Q1", "A1", "Q3"],
        ["Q1", "A1", "Q3", "A4"],
        ["Q1", "A1", "Q3"],
    ]
    assert "[Version 1 of 2.]\nYou: Q1\nClaudine: A1\n" in done.stdout
    assert server.requests[5]["seed"] == 7
    assert server.requests[5]["messages"][0] == {"role": "system", "content": "Be brief."}


def test_two_screens_at_once_have_two_conversations(socket: Path, start_screen: StartScreen) -> None:
    with FakeRuntime(socket) as server:
        screens = [start_screen(), start_screen()]
        for screen in screens:
            screen.wait_for(PROMPT)
            screen.type("Where?\r")
            screen.wait_for("Claudine: Paris.")
        assert server.texts(0) == server.texts(1) == ["Where?"]
