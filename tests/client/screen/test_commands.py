"""How commands are found, and how they speak with the person at the screen."""

import threading
from collections.abc import Callable

import pytest
from rich.color import Color

from claudine.answer import Answer
from claudine.commands import Command, Session
from claudine.commands.table import COMMANDS
from claudine.face import Option
from claudine.qr import qr_rows
from claudine.stop import Stop
from tests.client.screen.scripted import Scene
from tests.support import fake_runtime

KEY = "-".join(["cbdefghi"] * 8)

Run = Callable[[Session, str], Answer | None]


def command(run: Run, name: str = "try", key: str = "") -> Command:
    return Command(name, f"what {name} does", run, key=key)


def noting(notes: list[str], what: str) -> Run:
    def run(session: Session, argument: str) -> None:
        notes.append(f"{what} {argument}".strip())

    return run


async def test_a_command_is_run_by_its_name_by_its_key_and_from_the_menu() -> None:
    notes: list[str] = []
    commands = [command(noting(notes, name), name, key) for name, key in [("one", "f3"), ("two", "f6"), ("three", "")]]
    async with Scene(commands=commands).played() as person:
        await person.sees("F2 menu  F3 one  F6 two")
        await person.press("f6")
        await person.until(lambda: notes == ["two"])
        await person.send("/three times")
        await person.until(lambda: notes == ["two", "three times"])
        await person.press("f2")
        await person.sees("what one does", "/one", "F3", "what three does")
        await person.press("down", "down", "enter")
        await person.until(lambda: notes[2:] == ["three"])
        assert not person.server.requests


async def test_what_is_no_command_is_said_so_and_what_only_begins_with_a_slash_is_a_message() -> None:
    async with Scene().played() as person:
        await person.send("/nothing")
        await person.sees("[I do not know /nothing.")
        await person.send("/etc/fstab says?")
        await person.sees("Paris.")
        assert person.server.texts(0) == ["/etc/fstab says?"]


async def test_the_help_page_lists_every_command_with_its_key() -> None:
    commands = [command(noting([], "x"), name, key) for name, key in [("help", "f1"), ("one", "ctrl+n")]]
    async with Scene(commands=commands).played() as person:
        await person.press("f1")
        await person.sees("Keys and commands", "F1      /help", "Ctrl+N  /one", "what one does", "Ctrl+J  new line")
        await person.press("escape")
        await person.sees("I am ready")
    async with Scene(commands=commands, stays=True).played() as person:
        await person.press("f1")
        await person.sees("Keys and commands")
        assert "Ctrl+D" not in person.screen


async def test_a_command_that_makes_claudine_speak_is_answered_like_a_message() -> None:
    async with Scene(commands=[command(lambda session, _: session.talk.send("Again?"), "again")]).played() as person:
        await person.send("/again")
        await person.sees("Again?", "Paris.", "I am ready")


async def test_while_an_answer_is_made_a_command_waits_for_another_time() -> None:
    go = threading.Event()
    notes: list[str] = []
    scene = Scene([fake_runtime.Answer(["One, ", "two"], go=go)], [command(noting(notes, "x"), key="f3")])
    async with scene.played() as person:
        await person.send("Count.")
        await person.sees("One,")
        await person.press("f3")
        await person.sees("One thing after the other")
        go.set()
        await person.sees("I am ready")
        assert not notes


async def test_what_comes_first_is_asked_before_a_message_is_answered() -> None:
    def opening(session: Session) -> None:
        session.face.remark(f"It is {session.face.ask('Which keyboard? ')}.")

    scene = Scene(opening=opening, begins_prepared=False)
    async with scene.played() as person:
        await person.send("Hello!")
        scene.prepared.set()
        await person.sees("Which keyboard?")
        await person.type("de")
        await person.press("enter")
        await person.sees("Hello!", "Paris.", "I am ready")


async def test_ask() -> None:
    answers: list[str | None] = []

    def run(session: Session, _: str) -> None:
        answers.append(session.face.ask("Name: ", draft="Claudin", about="What this device is called."))

    async with Scene(commands=[command(run, key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("What this device is called.", "Name: Claudin")
        await person.press("e", "enter")
        await person.until(lambda: answers == ["Claudine"])
        await person.press("f3")
        await person.sees("Name: Claudin")
        await person.press("escape")
        await person.until(lambda: answers == ["Claudine", None])
        await person.sees("I am ready", "Hello, I am Claudine.")


async def test_choose_a_line_among_thousands() -> None:
    chosen: list[int | None] = []
    options = [Option(f"Chat\x1b[31m {number}", "yesterday", key=f"<{number}>") for number in range(10_000)]

    def run(session: Session, _: str) -> None:
        chosen.append(session.face.choose("Our conversations", options, about="Choose one.", start=7))

    async with Scene(commands=[command(run, key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("Our conversations", "Choose one.", "> Chat[31m 7 ", "Escape goes back")
        await person.press("enter")
        await person.until(lambda: chosen == [7])
        await person.press("f3")
        await person.sees("Our conversations")
        await person.type("9999")
        await person.sees("> Chat[31m 9999")
        await person.type(" never")
        await person.sees("Nothing here is called that.")
        await person.press("enter")
        await person.press(*["backspace"] * 6, "enter")
        await person.until(lambda: chosen == [7, 9999])
        await person.press("f3")
        await person.sees("> Chat[31m 7 ")
        await person.press("pagedown", "ctrl+end", "up", "enter")
        await person.until(lambda: chosen == [7, 9999, 9998])
        await person.press("f3")
        await person.sees("Our conversations")
        await person.press("escape")
        await person.until(lambda: chosen[3:] == [None])


async def test_a_note_that_does_not_fit_is_shown_in_full_when_its_line_is_marked() -> None:
    note = "I sum up the oldest messages, and read the summary in their place from now on"
    options = [Option("Leave it", "as it is"), Option("Summarise", note)]

    def run(session: Session, _: str) -> None:
        session.face.choose("Room", options)

    async with Scene(commands=[command(run, key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("> Leave it", "as it is")
        assert "now on" not in person.screen
        await person.press("down")
        await person.sees("> Summarise", "now on")
        await person.press("escape")


async def test_page() -> None:
    text = (
        "    "
        + "indented " * 12
        + "\n\n"
        + "\n\n".join(f"Paragraph {number} of a licence, which is long." for number in range(40))
    )

    async with Scene(commands=[command(lambda s, _: s.face.page("Licence", text), key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("Licence", "\n      indented indented", "\n      indented", "Paragraph 0 ")
        assert "\n  indented" not in person.screen
        await person.press("end")
        await person.sees("Paragraph 39 ")
        await person.press("home", "down")
        await person.sees("Paragraph 1 ")
        await person.press("escape")
        await person.sees("I am ready")


async def test_a_recovery_key_is_all_there_with_its_picture_and_gone_afterwards() -> None:
    answers: list[str | None] = []
    rows = ["x" * 80, *qr_rows(KEY)]
    rows += ["·" * 80] * (22 - len(rows))

    def run(session: Session, _: str) -> None:
        answers.append(session.face.ask_alone(rows, "Write it down; I keep no copy.", "Its last letters: "))

    async with Scene(commands=[command(run, key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("x" * 80, "I keep no copy", "Its last letters:")
        assert [row.rstrip() for row in person.rows[:22]] == [row.rstrip() for row in rows]
        styles = {
            (str(segment.style.color), str(segment.style.bgcolor), segment.style.bold)
            for strip in person.app.screen._compositor.render_strips()[:20]
            for segment in strip
            if segment.style is not None and "█" in segment.text
        }
        assert styles == {(str(Color.parse("bright_white")), str(Color.parse("black")), True)}
        await person.type("abc")
        await person.press("enter")
        await person.until(lambda: answers == ["abc"])
        await person.sees("I am ready")
        assert "xxx" not in person.screen


@pytest.mark.usefixtures("still_clock")
async def test_what_takes_its_time_is_said_with_its_seconds_and_the_line_stays_free() -> None:
    go = threading.Event()

    def run(session: Session, _: str) -> None:
        with session.face.busy("I am making the key") as say:
            say("I am making another")
            go.wait(10)

    async with Scene(commands=[command(run, key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("I am making another: 0 s")
        await person.type("free")
        assert person.app.chat.draft.text == "free"
        go.set()
        await person.sees("I am ready")


@pytest.mark.parametrize("stays", [True, False])
async def test_a_question_that_is_open_when_the_screen_ends_ends_too(stays: bool) -> None:
    ended = threading.Event()

    def run(session: Session, _: str) -> None:
        try:
            session.face.ask("Name: ")
        finally:
            ended.set()

    async with Scene(commands=[command(run, key="f3")], stays=stays).played() as person:
        await person.press("f3")
        await person.sees("Name:")
        person.app.exit()
    assert ended.wait(5)


async def test_keys_that_come_at_once_are_obeyed_in_their_order() -> None:
    answers: list[str | int | None] = []
    options = [Option(name) for name in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")]

    def ask(session: Session, _: str) -> None:
        answers.append(session.face.ask("Name: ", draft="claudine"))
        answers.append(session.face.choose("Letters", options))

    async with Scene(commands=[command(ask, key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("Name: claudine")
        await person.at_once("ctrl+u", "backspace", *"attic", "enter")
        await person.sees("Letters")
        await person.at_once(*"eta", "down", "enter")
        await person.until(lambda: answers == ["attic", 5], f"{answers}")
        await person.sees("I am ready")
        await person.at_once(*"Hx", "backspace", *"i", "enter", *"more")
        await person.sees("Hi", "Paris.", "I am ready")
        assert person.app.chat.draft.text == "more"
        assert person.server.texts(0) == ["Hi"]


async def test_what_is_sent_while_something_else_comes_first_waits_for_its_turn() -> None:
    go = threading.Event()

    def opening(session: Session) -> None:
        with session.face.busy("I am looking at my disk"):
            go.wait(10)

    scene = Scene(opening=opening, begins_prepared=False)
    async with scene.played() as person:
        scene.prepared.set()
        await person.sees("I am looking at my disk")
        await person.send("Hello!")
        await person.send("And?")
        await person.sees("Hello!", "[One message waits for me already")
        go.set()
        await person.sees("Paris.", "I am ready")
        assert person.server.texts(0) == ["Hello!"]
        assert person.app.chat.draft.text == "And?"


async def test_what_is_looked_for_first_is_in_the_footer_of_a_narrow_screen() -> None:
    async with Scene(commands=COMMANDS).played() as person:
        await person.sees("F1 help  F2 menu  F3 chats  F4 prove  F10 power-off  Ctrl+N new")


@pytest.mark.parametrize(("columns", "longest"), [(80, 72), (160, 100)])
async def test_a_text_is_broken_for_the_screen_it_is_on_and_not_twice(columns: int, longest: int) -> None:
    words = "some words that stand here only to be read by somebody who has the time for that"
    about = "\n".join([words] * 3) + "\n\n  a line of its own"

    def run(session: Session, _: str) -> None:
        session.face.ask("Name: ", about=about)
        session.face.choose("Letters", [Option("alpha")], about=about)
        session.face.page("Words", about)

    async with Scene(commands=[command(run, key="f3")], size=(columns, 25)).played() as person:
        await person.press("f3")
        for title in ("Name: ", "> alpha", "Words"):
            await person.sees(title)
            rows = [row.strip(" │") for row in person.rows]
            first = next(number for number, row in enumerate(rows) if row.startswith("some words"))
            assert longest - 12 <= len(rows[first]) <= longest + 4
            assert "a line of its own" in rows
            await person.press("escape")


@pytest.mark.usefixtures("still_clock")
@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_what_takes_its_time_can_be_stopped(key: str) -> None:
    ended = threading.Event()

    def run(session: Session, _: str) -> None:
        with session.face.busy("I am counting sheep") as say:
            while not ended.wait(0.01):
                say("I am counting sheep")

    async with Scene(commands=[command(run, key="f3")]).played() as person:
        person.app.chat.draft.put("half")
        await person.press("f3")
        await person.sees("I am counting sheep: 0 s")
        await person.press(key)
        await person.sees("[I stopped, and changed nothing.]", "I am ready")
        assert person.app.chat.draft.text == "half"
        ended.set()


@pytest.mark.usefixtures("still_clock")
async def test_waiting_for_somebody_else_can_be_stopped() -> None:
    notes: list[str] = []

    def run(session: Session, _: str) -> None:
        stop = Stop()
        with session.face.busy("I am waiting", stop):
            stop.sleep(60)
        notes.append("and on")

    async with Scene(commands=[command(run, key="f3")]).played() as person:
        await person.press("f3")
        await person.sees("I am waiting: 0 s")
        await person.press("escape")
        await person.sees("[I stopped, and changed nothing.]", "I am ready")
        assert not notes


async def test_what_a_command_said_before_it_asks_is_not_beside_the_answer() -> None:
    def opening(session: Session) -> Answer:
        # By now the screen has taken note that something is being done.
        threading.Event().wait(0.3)
        session.face.remark("A few questions first.")
        return session.talk.send("Where?")

    async with Scene(opening=opening).played() as person:
        await person.sees("Where?", "Paris")
        assert "A few questions first." not in person.screen
