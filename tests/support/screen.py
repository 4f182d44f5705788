"""A program on a terminal of its own: a pseudo-terminal with the program as its session's leader, as on a console."""

import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Sequence
from fcntl import ioctl
from types import TracebackType
from typing import Self

_PATIENCE_S = 10.0
# What a terminal obeys, or the beginning of it: what was read may end in the middle.
_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*([@-~]|\Z)|[()]([0-9A-Z]|\Z)|[=>78]|\Z)")


class Screen:
    """Type into a program and read all that it wrote since it began."""

    def __init__(
        self, command: Sequence[str], env: dict[str, str], *, columns: int = 80, patience_s: float = _PATIENCE_S
    ) -> None:
        self._patience_s = patience_s
        self._master, terminal = pty.openpty()
        ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        # setsid makes the pseudo-terminal the controlling one, without which Ctrl+C is only a character; and whoever
        # starts the tests with nohup does not mean the program whose terminal hangs up in one.
        on_its_own = ["env", "--default-signal=HUP", "setsid", "--ctty"]
        self._process = subprocess.Popen(
            [*on_its_own, *command], stdin=terminal, stdout=terminal, stderr=terminal, env=env
        )
        os.close(terminal)
        self.output = ""
        self._seen = 0
        # What is read may end in the middle of a character.
        self._decode = getincrementaldecoder("utf-8")("replace").decode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._master >= 0:
            os.close(self._master)

    @property
    def shown(self) -> str:
        """What was written, without what a terminal only obeys."""
        return _SEQUENCE.sub("", self.output)

    def type(self, keys: str | bytes) -> None:
        """Press *keys*; ``\\x03`` is Ctrl+C, ``\\x04`` Ctrl+D."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def settle(self) -> None:
        """Let the program finish with the last key: Python's readline sees a Ctrl+C only while it waits for one."""
        time.sleep(0.1)

    def wait_for(self, text: str) -> str:
        """Read until *text* comes, and return what came from the last such place up to and with it."""
        deadline_s = time.monotonic() + self._patience_s
        while (found := self.output.find(text, self._seen)) < 0:
            if time.monotonic() > deadline_s or not self._read():
                raise AssertionError(f"{text!r} did not come after {self.output[self._seen :]!r}")
        start, self._seen = self._seen, found + len(text)
        return self.output[start : self._seen]

    def wait_for_pattern(self, pattern: str) -> str:
        """Read until *pattern* (a regular expression) matches what is new, and return the match."""
        deadline_s = time.monotonic() + self._patience_s
        while (found := re.compile(pattern).search(self.output, self._seen)) is None:
            if time.monotonic() > deadline_s or not self._read():
                raise AssertionError(f"{pattern!r} did not come after {self.output[self._seen :]!r}")
        self._seen = found.end()
        return found.group()

    def wait_for_end(self) -> int:
        """Read until the program ends and return its exit code; minus the signal's number if one killed it."""
        while self._read():
            pass
        return self._process.wait(self._patience_s)

    def hang_up(self) -> int:
        """Take the terminal away and return the exit code."""
        os.close(self._master)
        self._master = -1
        return self._process.wait(self._patience_s)

    def is_running(self) -> bool:
        """Say whether the program has not ended yet."""
        return self._process.poll() is None

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], self._patience_s)
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            # Linux says EIO when the last program has left the terminal.
            return False
        self.output += self._decode(data)
        return bool(data)
