"""What a person does at the screen, and what is seen there then."""

import threading
from pathlib import Path

import pytest

from claudine.commands import Command
from claudine.commands.table import COMMANDS
from claudine.record import Record
from claudine.screen.looks import read_contrast
from claudine.store import Store
from claudine.voice.models import ON_PROCESSOR
from tests.client.screen.scripted import FACTS, Person, Scene
from tests.support.fake_runtime import Answer, overflow


async def test_it_takes_a_message_before_there_is_anybody_to_answer_it() -> None:
    scene = Scene(begins_prepared=False)
    async with scene.played() as person:
        await person.type("Where is Paris?")
        await person.press("enter")
        await person.sees("You", "Where is Paris?", "I am starting")
        await person.type("and this")
        scene.prepared.set()
        await person.sees("Claudine", "Paris.", "I am ready")
        assert person.app.chat.draft.text == "and this"


@pytest.mark.usefixtures("still_clock")
async def test_it_says_in_words_what_it_does() -> None:
    go = threading.Event()
    async with Scene([Answer(progress=[(40, 100)], go=go)], loads=10_000).played() as person:
        await person.send("Where?")
        await person.sees("You", "Where?", "I am loading my model: ")
        person.server.loads_left = 0
        await person.sees("I am reading, 40 %: 0 s")
        go.set()
        await person.sees("Paris.", "I am ready", "context 8 of 512")


async def test_an_answer_shows_while_it_grows_and_its_markdown_is_drawn() -> None:
    go = threading.Event()
    pieces = ["# Two ", "things\n\n", "- **one**\n- two\n\n", "```\nls -l\n", "```\n", "The end."]
    async with Scene([Answer(pieces, go=go)]).played() as person:
        await person.send("List *them*.")
        await person.sees("List *them*.", "Two things", "• one", "│ ls -l")
        assert "The end." not in person.screen
        go.set()
        await person.sees("The end.", "I am ready")
        assert "```" not in person.screen


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_a_key_stops_an_answer_and_what_was_said_stays(key: str) -> None:
    async with Scene([Answer(["One, ", "two"], go=threading.Event())]).played() as person:
        await person.send("Count.")
        await person.sees("One,")
        await person.press(key)
        await person.sees("One,", "[I stopped.]", "I am ready")


async def test_a_message_waits_on_the_line_while_another_is_answered() -> None:
    go = threading.Event()
    async with Scene([Answer(["One, ", "two"], go=go)]).played() as person:
        await person.send("Count.")
        await person.sees("One,")
        await person.send("Faster!")
        await person.sees("I am still answering")
        assert person.app.chat.draft.text == "Faster!"
        go.set()
        await person.sees("One, two", "I am ready")
        assert person.screen.count("One,") == 1
        assert len(person.server.requests) == 1


async def test_a_message_without_an_answer_is_back_on_the_line() -> None:
    async with Scene([Answer([])]).played() as person:
        await person.send("Hello?")
        await person.sees("[I found nothing to say to that.]")
        assert person.app.chat.draft.text == "Hello?"
        assert person.app.chat.draft.cursor_location == (0, 6)


@pytest.mark.parametrize(("moves", "asked"), [(0, 4), (1, 3), (2, 3)])
async def test_when_the_conversation_is_full_the_person_chooses(moves: int, asked: int) -> None:
    async with Scene([Answer(["First."]), overflow(3000, 512), Answer(["Again."])]).played() as person:
        await person.send("Oldest.")
        await person.sees("First.", "I am ready")
        await person.send("One more.")
        await person.sees("Summarise", "Leave out the oldest", "Start afresh", "Leave it as it is")
        await person.press(*["down"] * moves, "enter")
        await person.sees("Again.", "I am ready")
        assert len(person.server.requests) == asked
        assert person.server.texts(asked - 1)[-1] == "One more."
        assert "Oldest." not in person.server.texts(asked - 1)
        assert person.app.chat.draft.text == ""


@pytest.mark.parametrize("keys", [["escape"], ["down", "down", "down", "enter"]])
async def test_a_full_conversation_can_be_left_as_it_is(keys: list[str]) -> None:
    async with Scene([Answer(["First."]), overflow(3000, 512)]).played() as person:
        await person.send("Oldest.")
        await person.sees("First.", "I am ready")
        await person.send("One more.")
        await person.sees("Leave it as it is")
        await person.press(*keys)
        await person.sees("I am ready")
        assert len(person.server.requests) == 2
        assert person.app.chat.draft.text == "One more."


async def test_a_message_that_alone_is_too_long_offers_no_choice() -> None:
    async with Scene([overflow(3000, 512)]).played() as person:
        await person.send("word " * 100)
        await person.sees("Your message is too long for me", "I am ready")
        assert person.app.chat.draft.text == ("word " * 100).strip()


async def test_up_brings_back_what_was_sent_and_down_what_was_being_written() -> None:
    async with Scene().played() as person:
        for text in ("first", "second"):
            await person.send(text)
            await person.until(lambda: "I am ready" in person.screen)
        await person.type("half")
        draft = person.app.chat.draft
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await person.press(key)
            seen.append(draft.text)
        assert seen == ["second", "first", "first", "second", "half", "half"]


async def test_what_was_said_before_a_restart_comes_back_with_up_and_nothing_of_another_conversation(
    tmp_path: Path,
) -> None:
    record = Record(Store(str(tmp_path)), "tty1", print)
    record.add("user", "Elsewhere?")
    record.begin()
    record.add("user", "Here?")
    record.add("assistant", "Here.")
    async with Scene(store=Store(str(tmp_path))).played() as person:
        await person.press("up", "up")
        assert person.app.chat.draft.text == "Here?"


async def test_the_facts_are_read_beside_a_long_title() -> None:
    async with Scene().played() as person:
        await person.send("A question with a first line that is very long, so long that it takes all of the row?")
        await person.sees("I am ready", "A question with a first line", FACTS)


async def test_that_a_conversation_is_private_is_said_beside_the_facts() -> None:
    async with Scene().played() as person:
        person.app._record.begin(private=True)
        await person.send("A question with a first line that is very long, so long that it takes all of the row?")
        await person.sees("I am ready", "A question with... · off the record", FACTS)


async def test_ctrl_j_is_a_new_line_and_the_line_grows_to_a_third_of_the_screen() -> None:
    async with Scene().played() as person:
        await person.type("one\ntwo")
        draft = person.app.chat.draft
        assert (draft.text, draft.size.height) == ("one\ntwo", 2)
        await person.type("\n" * 20)
        assert draft.size.height == 8
        await person.press("enter")
        await person.sees("You", "one", "two")
        await person.until(lambda: draft.size.height == 1)


async def test_the_draft_survives_a_crash(tmp_path: Path) -> None:
    async with Scene(store=Store(str(tmp_path))).played() as person:
        await person.type("half a thought")
        await person.until(lambda: _stored_draft(tmp_path) == "half a thought")
    async with Scene(store=Store(str(tmp_path))).played() as person:
        assert person.app.chat.draft.text == "half a thought"


def _stored_draft(directory: Path) -> str:
    record = Record(Store(str(directory)), "tty1", print)
    record.resume()
    return record.draft


async def test_a_conversation_comes_back_with_what_else_was_said_at_each_place(tmp_path: Path) -> None:
    record = Record(Store(str(tmp_path)), "tty1", print)
    asked = record.add("user", "Where is it?")
    record.add("assistant", "Here.")
    record.add("assistant", "There.", parent=asked.id)
    async with Scene(store=Store(str(tmp_path))).played() as person:
        await person.sees("Where is it?", "Claudine · version 2 of 2", "There.")
        assert "Here." not in person.screen


async def test_a_thousand_messages_come_up_at_once_and_can_be_scrolled_to_their_beginning(tmp_path: Path) -> None:
    record = Record(None, "tty1", print)
    async with Scene().played() as person:
        for number in range(500):
            record.add("user", f"Question {number}?")
            record.add("assistant", f"Answer {number}.")
        person.app.chat.show(record)
        await person.sees("Answer 499.")
        assert "Answer 400." not in person.app.chat.transcript.text
        for _ in range(400):
            person.app.chat.action_page(-1)
        await person.sees("Question 0?", "Answer 0.")
        await person.press("pagedown")
        assert "Answer 0." not in person.screen


async def test_who_reads_further_up_is_not_moved_by_what_is_said_below() -> None:
    go = threading.Event()
    lines = [f"line {number}\n" for number in range(60)]
    async with Scene([Answer(lines), Answer(["More ", "words."], go=go)]).played() as person:
        await person.send("Recite.")
        await person.sees("line 59", "I am ready")
        await person.send("More!")
        await person.sees("More")
        await person.press("pageup", "pageup")
        before = person.app.chat.transcript.scroll_offset
        person.app.remark("Something happened.")
        await person.pilot.pause()
        assert person.app.chat.transcript.scroll_offset == before
        go.set()
        await person.sees("I am ready")


async def test_nothing_of_what_a_model_says_is_markup_of_ours() -> None:
    async with Scene([Answer(["[b]bold[/b] [red]x ", "<script> &amp; [link](http://example.com)"])]).played() as person:
        await person.send("[i]Hi[/i]")
        await person.sees("[i]Hi[/i]", "[b]bold[/b] [red]x <script>", "link (http://example.com)")


@pytest.mark.parametrize("keys", [["ctrl+c"], ["ctrl+d"], ["ctrl+z"], ["ctrl+backslash"], ["ctrl+q"], ["ctrl+p"]])
async def test_on_an_appliance_no_key_leaves(keys: list[str]) -> None:
    async with Scene(stays=True).played() as person:
        await person.press(*keys)
        await person.send("Still there?")
        await person.sees("Paris.")
        assert person.app.is_running


async def test_on_a_desk_ctrl_d_leaves_when_nothing_is_written() -> None:
    async with Scene().played() as person:
        await person.type("ab")
        await person.press("home", "ctrl+d")
        assert person.app.chat.draft.text == "b"
        await person.press("ctrl+c")
        assert person.app.chat.draft.text == ""
        await person.press("up")
        assert person.app.chat.draft.text == "b"
        await person.press("ctrl+c", "ctrl+d")
        await person.until(lambda: not person.app.is_running)


async def test_high_contrast_has_no_colours() -> None:
    async with Scene([Answer(["`code`"])]).played() as person:
        await person.send("Show code.")
        await person.sees("code", "I am ready")
        await person.press("ctrl+t")
        await person.pilot.pause()
        strips = person.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        colours = {style.color.number for style in styles if style.color}
        bright_white, as_the_terminal_has_it = 15, None
        assert colours <= {bright_white, as_the_terminal_has_it}


@pytest.mark.parametrize("size", [(60, 16), (160, 50), (240, 70), (20, 5)])
async def test_it_fits_the_terminal_it_is_on(size: tuple[int, int]) -> None:
    async with Scene([Answer(["word " * 100])]).played() as person:
        await person.send("Say a lot.")
        await person.sees("word", "I am ready")
        await person.pilot.resize_terminal(*size)
        await person.pilot.pause()
        rows = [row.strip() for row in person.rows]
        assert len(rows) == size[1]
        assert max(map(len, rows)) <= 104
        if size[0] >= 60:
            await person.sees("word", "I am ready", "F2 menu", "Say a lot.")


async def test_a_fault_of_its_own_is_one_sentence() -> None:
    def fail(session: object, argument: str) -> None:
        raise ValueError(f"no {argument}")

    async with Scene(commands=[Command("fail", "something that fails", fail)]).played() as person:
        await person.send("/fail luck")
        await person.sees("I stumbled over a fault of my own", "no luck", "I am ready")
        await person.send("Go on.")
        await person.sees("Paris.")


async def test_what_was_sent_in_other_conversations_comes_back_but_nothing_private_or_deleted(tmp_path: Path) -> None:
    async with Scene(store=Store(str(tmp_path)), commands=COMMANDS).played() as person:
        ids = []
        for text, key in [("first", "ctrl+n"), ("second", "f8"), ("secret", "ctrl+n"), ("third", "ctrl+n")]:
            await person.send(text)
            await person.sees(text, "Paris.", "I am ready")
            ids.append(person.app._record.id)
            await person.press(key)
            await person.until(lambda: person.app._record.id != ids[-1] and "I am ready" in person.screen)
        assert await _recalled(person) == ["third", "second", "first"]
        person.app._record.delete(ids[1])
        await person.send("fourth")
        await person.sees("Paris.", "I am ready")
        assert await _recalled(person) == ["fourth", "third", "first"]


async def _recalled(person: Person) -> list[str]:
    seen: list[str] = []
    while True:
        await person.press("up")
        if person.app.chat.draft.text in seen:
            break
        seen.append(person.app.chat.draft.text)
    person.app.chat.draft.remember("")
    person.app.chat.draft.put("")
    return seen


async def test_high_contrast_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    async with Scene().played() as person:
        assert not person.app.has_class("contrast")
        await person.press("ctrl+t")
        await person.until(read_contrast)
    async with Scene().played() as person:
        assert person.app.has_class("contrast")
        await person.press("ctrl+t")
        await person.until(lambda: not read_contrast())


async def test_what_the_model_lacks_stands_where_it_is_ready() -> None:
    async with Scene(look_closer=lambda: ON_PROCESSOR).played() as person:
        await person.sees(f"I am ready · {ON_PROCESSOR}")
