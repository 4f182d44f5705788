"""The same over the serial line, in flat text: everything the screen can do has a command."""

from pathlib import Path

from builder.vm.machine import Machine
from claudine import voice
from claudine.plain.face import ANSWER, PROMPT
from claudine.voice import chat, chats, plain, power, proof
from claudine.voice import stick as stick_voice
from tests.image.screen import TIMEOUT_S, flat
from tests.image.stick import plugged_in

FIRST, EDITED = "Count from 1 to 300.", "Tell me a long story about an animal."


class SerialLine:
    """What comes on the line behind what was typed last."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._typed_at = 0

    def type(self, text: str, wanted: str, *, after: str = "") -> str:
        """Type *text* and wait for words, behind *after* if that is given; return what came up to there."""
        self._typed_at = len(self._log())
        self._machine.type_on_serial_line(text)

        def look() -> str | None:
            said = flat(self._log()[self._typed_at :])
            begin = said.find(after)
            return said if begin >= 0 and flat(wanted) in said[begin + len(after) :] else None

        return self._machine.watch.until(f"{wanted!r} on the serial line", look, timeout_s=2 * TIMEOUT_S, every_s=1.0)

    def _log(self) -> str:
        return self._machine.bench.files.serial_log.read_text(errors="replace")


def test_the_serial_line_does_the_same(machine: Machine, vfat: Path) -> None:
    """One conversation, since each part stands on the one before."""
    line = SerialLine(machine)
    line.type("/new\r", chat.AFRESH)
    line.type(f"{FIRST}\r", ANSWER.strip())
    line.type("\x03", voice.STOPPED)
    line.type(f"/edit {EDITED}\r", ANSWER.strip())
    line.type("\x03", voice.STOPPED)
    line.type("/other\r", chat.VERSION.format(number=1, count=2))
    line.type("/title On the line\r", chats.TITLED.format(title="On the line"))
    line.type("/chats animal\r", chats.FOUND.format(words="animal"))
    line.type("\r", chats.OPENED.format(title="On the line"))
    line.type("/private\r", chat.PRIVATE_BEGUN)
    line.type("/new\r", chat.AFRESH)
    line.type("/chats animal\r", chats.FOUND.format(words="animal"))
    line.type("\r", chats.OPENED.format(title="On the line"))
    with plugged_in(machine, vfat):
        line.type("/export\r", stick_voice.EXPORT)
        line.type("1\r", stick_voice.CLOSED)
    line.type("/prove\r", plain.MORE.strip())
    # More pages than there are; an empty line is no message.
    line.type("\r" * 8, proof.all_passed(8))
    line.type("/power-off\r", power.STAY)
    line.type("\x03", PROMPT.strip())
