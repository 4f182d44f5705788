"""Watching a machine while something is waited for.

A wait ends in one of three ways: what was waited for has come; the machine shows that it never will (QEMU has ended,
the kernel has panicked, it restarts again and again), which is said at once; or time is over, which is for what
nobody thought of.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from builder import log
from builder.errors import ToolError
from builder.vm.lifeline import Process
from builder.vm.qmp import Event, Qmp
from builder.vm.serial_log import SerialLog
from builder.vm.shell import GuestShell

# The first boot enrols the keys and restarts once; one more is for what a profile adds to its first boot.
EXPECTED_RESETS = 2
REPORT_EVERY_S = 10.0
SILENCE_S = 3.0
MOST_LAST_WORDS_S = 30.0

Found = TypeVar("Found")


class MachineError(ToolError):
    """A machine did not do what it should. The hint names what was kept of it."""


class Watch:
    """Notices when a machine fails, and reports how far it is."""

    def __init__(self, process: Process, qmp: Qmp, serial_log: SerialLog, qemu_log: Path) -> None:
        self._process = process
        self._qmp = qmp
        self._qemu_log = qemu_log
        self._started = self._reported = time.monotonic()
        self._reported_line = self._errand = ""
        self.serial_log = serial_log
        self.shell: GuestShell | None = None
        self.resets = 0
        # When it last restarted, in seconds after it was switched on.
        self.restarted_s = 0.0
        self.expected_resets = EXPECTED_RESETS
        self.failure = ""

    @property
    def uptime_s(self) -> float:
        """Seconds since the machine was switched on."""
        return time.monotonic() - self._started

    def look(self) -> None:
        """Take in what has happened; `failure` says what went wrong, "" if nothing did."""
        self.serial_log.read()
        for event in self._qmp.poll():
            self._take(event)
        self.failure = self.failure or self.serial_log.failure

    def check(self) -> None:
        """Raise a MachineError if the machine has failed or ended."""
        self.look()
        if self.failure:
            self._let_it_finish()
            raise MachineError(f"{self.failure}, {self.uptime_s:.0f} s after it was switched on")
        if self._process.poll() is not None:
            raise MachineError(f"the machine ended {self.uptime_s:.0f} s after it was switched on{self._last_words()}")

    def tick(self) -> None:
        """Check, and report now and then. Call it about every second while waiting."""
        self.check()
        if time.monotonic() - self._reported >= REPORT_EVERY_S:
            self._reported = time.monotonic()
            if self._errand:
                log.info(f"{self.uptime_s:.0f} s, {self._errand}")
                return
            line = self.serial_log.last_line
            # A quiet kernel says nothing for a minute: once is enough for what stood there before.
            news = "nothing new on the serial line" if line == self._reported_line else line
            self._reported_line = line
            log.info(f"{self.uptime_s:.0f} s, {self.serial_log.stage}: {news}")

    @contextmanager
    def errand(self, what: str) -> Iterator[None]:
        """Report `what` the machine does instead of what its serial line says."""
        self._errand = what
        try:
            yield
        finally:
            self._errand = ""

    def until(self, what: str, look: Callable[[], Found | None], *, timeout_s: float, every_s: float = 1.0) -> Found:
        """Call `look` until it returns something other than None; a MachineError names `what` when time is over."""
        deadline = time.monotonic() + timeout_s
        while (found := look()) is None:
            self.tick()
            if time.monotonic() > deadline:
                raise MachineError(f"{what} did not happen within {timeout_s:g} s")
            time.sleep(every_s)
        return found

    def _let_it_finish(self) -> None:
        """Wait until the serial line falls silent: what follows a failure is its reason, often the guest's journal."""
        deadline = time.monotonic() + MOST_LAST_WORDS_S
        line = None
        while line != self.serial_log.last_line and time.monotonic() < deadline:
            line = self.serial_log.last_line
            if self._process.poll() is None:
                time.sleep(SILENCE_S)
            self.serial_log.read()

    def _take(self, event: Event) -> None:
        match event.name:
            case "RESET" if event.data.get("guest"):
                self.resets += 1
                self.restarted_s = self.uptime_s
                self.serial_log.restart()
                if self.shell:
                    self.shell.is_ready = False
                log.info(f"the machine restarts ({self.uptime_s:.0f} s)")
                if self.resets > self.expected_resets:
                    self.failure = f"the machine restarts again and again ({self.resets} times)"
            case "GUEST_PANICKED":
                self.failure = "the guest panicked"
            case "BLOCK_IO_ERROR" if event.data.get("nospace"):
                self.failure = "the host's disk is full, and the machine cannot write"
            case "BLOCK_IO_ERROR":
                self.failure = f"the machine's disk failed: {event.data.get('reason', 'no reason given')}"
            case "STOP" if self._qmp.status() == "internal-error":
                self.failure = "QEMU met an error of its own and stopped the machine"

    def _last_words(self) -> str:
        lines = self._qemu_log.read_text(errors="replace").strip().splitlines()
        said = [line for line in lines if "qemu-system" in line]
        return f": {said[-1]}" if said else " (it powered itself off)"
