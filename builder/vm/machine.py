"""A virtual machine that boots an image, and what can be done with it while it runs.

    with Machine(open_toolchain(), open_disk_image(path), directory) as machine:
        machine.wait_for_unit("claudine-client@tty1.service")
        machine.run("findmnt --json /")

On the way out QEMU and its TPM always end. An error on the way names what was kept to find its cause.
"""

import os
import shlex
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from builder import log
from builder.errors import BuilderError, ToolError
from builder.run import Completed
from builder.toolchain import Toolchain
from builder.vm import unit_state
from builder.vm.artefacts import keep_artefacts
from builder.vm.bench import Bench, set_up
from builder.vm.console import READ_SCREEN, screen_text
from builder.vm.disk_image import DiskImage
from builder.vm.hardware import Hardware
from builder.vm.keyboard import keys
from builder.vm.lifeline import POLL_S, Process, end, start_tied, wait
from builder.vm.qmp import Qmp, QmpError
from builder.vm.serial_log import SerialLog
from builder.vm.shell import GuestShell
from builder.vm.watch import MachineError, Watch

START_TIMEOUT_S = 30.0
# Under TCG a first boot takes one to three minutes here; a busy two-core host may need several times that.
BOOT_TIMEOUT_S = 900.0
SHUTDOWN_TIMEOUT_S = 180.0
BOOT_IS_OVER = ("running", "degraded")
# A guest under TCG reads the keyboard slowly, and its queue is short.
KEY_PAUSE_S = 0.15
TAP_MS = 30


class Machine:
    """One virtual machine, switched on within the `with` block. All times are in seconds.

    Each wait raises a MachineError as soon as the machine has failed. With `artefacts`, an error that leaves the block
    first puts logs, a picture of the screen and the journal there, and names them.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        image: DiskImage,
        directory: Path,
        *,
        hardware: Hardware | None = None,
        fresh: bool = False,
        artefacts: Path | None = None,
    ) -> None:
        self._toolchain = toolchain
        self._image = image
        self._directory = directory
        self._hardware = hardware or Hardware()
        self._fresh = fresh
        self._artefacts = artefacts
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            prepared = set_up(self._toolchain, self._image, self._directory, self._hardware, fresh=self._fresh)
            self.bench: Bench = stack.enter_context(prepared)
            self._switch_on(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if isinstance(error, BuilderError) and self._artefacts is not None:
                kept = self.keep_artefacts(self._artefacts)
                error.hint = "\n".join(filter(None, [error.hint, "Kept: " + ", ".join(map(str, kept))]))

    def _switch_on(self, stack: ExitStack) -> None:
        files, sockets = self.bench.files, self.bench.sockets
        log.info(f"switching on {self._image.path.name} (serial log: {files.serial_log})")
        self._process: Process = start_tied(
            self._toolchain, self.bench.argv, output=files.qemu_log, pass_fds=[self.bench.lock]
        )
        stack.callback(end, self._process)
        self.qmp = self._open_monitor(sockets.qmp)
        stack.callback(self._switch_off)
        self.watch = Watch(self._process, self.qmp, SerialLog(files.serial_log), files.qemu_log)
        if self._hardware.guest_shell:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(START_TIMEOUT_S)
            connection.connect(str(sockets.shell))
            self.watch.shell = self.shell = GuestShell(connection, self.watch.tick)

    def _open_monitor(self, path: Path) -> Qmp:
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if path.exists():
                try:
                    return Qmp(path)
                except QmpError:
                    # The socket is there a moment before anybody listens.
                    pass
            time.sleep(POLL_S)
        said = self.bench.files.qemu_log.read_text(errors="replace").strip().splitlines()
        raise MachineError(
            f"QEMU did not start: {said[-1] if said else 'it said nothing'}",
            hint=f"All it said is in {self.bench.files.qemu_log}",
        )

    def _switch_off(self) -> None:
        try:
            if self._process.poll() is None:
                self.qmp.execute("quit")
                wait(self._process, 5.0)
        except QmpError:
            pass  # It has just ended by itself, or is stuck; `end` comes next.
        finally:
            self.qmp.close()

    def wait_for_shell(self, timeout_s: float = BOOT_TIMEOUT_S) -> None:
        """Wait until commands can be run: the real root's systemd is up, the boot still goes on."""
        # A restart that nobody has noticed yet must not make the next shell's word look like an old one.
        self.watch.check()
        if not self.shell.is_ready:
            self.shell.wait_until_ready(timeout_s)
            log.info(f"the guest's shell is there ({self.watch.uptime_s:.0f} s)")

    def run(self, command: str, timeout_s: float = 60.0) -> Completed:
        """Run a shell command as root in the guest, whatever its exit status."""
        self.wait_for_shell()
        return self.shell.run(command, timeout_s)

    def succeed(self, command: str, timeout_s: float = 60.0) -> str:
        """Run a shell command as root in the guest and return its stdout; a MachineError if it fails."""
        done = self.run(command, timeout_s)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise MachineError(f"in the guest, {command} failed with status {done.returncode}: {said[-500:]}")
        return done.stdout

    def wait_until_succeeds(self, command: str, timeout_s: float = BOOT_TIMEOUT_S, *, every_s: float = 2.0) -> str:
        """Run a shell command in the guest until it succeeds, and return its stdout."""

        def look() -> str | None:
            done = self.run(command)
            return done.stdout if done.returncode == 0 else None

        return self.watch.until(f"`{command}` in the guest", look, timeout_s=timeout_s, every_s=every_s)

    def wait_for_boot(self, timeout_s: float = BOOT_TIMEOUT_S) -> None:
        """Wait until systemd has nothing left to start; whether units have failed is another question."""

        def look() -> str | None:
            state = self.run("systemctl is-system-running").stdout.strip()
            return state if state in BOOT_IS_OVER else None

        state = self.watch.until("the end of the boot", look, timeout_s=timeout_s, every_s=2.0)
        log.info(f"the boot is over: {state} ({self.watch.uptime_s:.0f} s)")

    def wait_for_unit(self, unit: str, timeout_s: float = BOOT_TIMEOUT_S) -> None:
        """Wait for a unit to be active; a MachineError at once if it has failed or does not exist."""

        def look() -> str | None:
            boot = self.run("systemctl is-system-running").stdout.strip()
            shown = self.run(unit_state.SHOW.format(unit=shlex.quote(unit))).stdout
            state = unit_state.read_unit_state(shown, boot_is_over=boot in BOOT_IS_OVER)
            if state.verdict == "failed":
                journal = self.run(f"journalctl --no-pager --output=cat --lines=5 --unit={shlex.quote(unit)}").stdout
                raise MachineError(f"{unit}: {state.reason}\n{journal.rstrip()}".rstrip())
            return state.verdict if state.verdict == "up" else None

        self.watch.until(f"{unit} coming up", look, timeout_s=timeout_s, every_s=2.0)

    def screenshot(self, path: Path) -> None:
        """Write a PNG picture of the screen, whole or not at all."""
        path = path.absolute()
        beside = path.with_name(f".{path.name}.new")
        try:
            self.qmp.execute("screendump", filename=str(beside), format="png")
            beside.replace(path)
        except OSError as error:
            raise ToolError(f"the picture {path} cannot be written: {error.strerror}") from error
        finally:
            beside.unlink(missing_ok=True)

    def console_text(self, vc: int = 1) -> str:
        """Return the text on a virtual terminal, lines without blanks at their ends."""
        self.wait_for_shell()
        answer = self.shell.run_binary(READ_SCREEN.format(vc=vc))
        if answer.returncode != 0:
            raise MachineError(f"tty{vc} cannot be read: {answer.stderr.decode(errors='replace').strip()}")
        return screen_text(answer.stdout)

    def send_keys(self, text: str) -> None:
        r"""Type on the machine's keyboard, US layout; `\n` is Enter, `\x03` Ctrl+C."""
        for chord in keys(text):
            self.press(*chord)

    def press(self, *chord: str) -> None:
        """Press keys together, by their names in QMP (`QKeyCode`), for example "ctrl", "alt", "delete"."""
        self.qmp.execute("send-key", keys=[{"type": "qcode", "data": key} for key in chord])
        time.sleep(KEY_PAUSE_S)

    def tap(self, key: str) -> None:
        """Press a key for a moment and do not wait: often enough, it is as if it were held down."""
        self.qmp.execute("send-key", keys=[{"type": "qcode", "data": key}], **{"hold-time": TAP_MS})

    def type_on_serial_line(self, text: str) -> None:
        r"""Type on the machine's serial line; `\r` is Enter, `\x03` Ctrl+C."""
        os.write(self.bench.serial_input, text.encode())

    def begin_restart(self) -> None:
        """Have the guest restart. Nobody waits for its answer, because it may be gone before it can give one."""
        self.wait_for_shell()
        self.watch.expected_resets += 1
        self.shell.start("systemctl reboot --no-block")

    def restart(self, timeout_s: float = BOOT_TIMEOUT_S) -> None:
        """Restart the guest as its owner would, and wait for the next boot's shell."""
        resets = self.watch.resets
        self.begin_restart()
        self.watch.until(
            "the restart", lambda: self.watch.resets > resets or None, timeout_s=SHUTDOWN_TIMEOUT_S, every_s=POLL_S
        )
        self.wait_for_shell(timeout_s)

    def shutdown(self, timeout_s: float = SHUTDOWN_TIMEOUT_S) -> None:
        """Power the machine off as its owner would, and wait until it has; a MachineError if it does not."""
        log.info("powering off")
        if self._hardware.guest_shell and self.shell.is_ready:
            self.shell.start("systemctl poweroff --no-block")
        else:
            self.qmp.execute("system_powerdown")
        self.wait_for_power_off(timeout_s)

    def wait_for_power_off(self, timeout_s: float | None = None) -> None:
        """Wait until QEMU has ended; without a limit, as long as the machine wants."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not wait(self._process, 1.0):
            self.watch.look()
            if self.watch.failure:
                raise MachineError(f"{self.watch.failure}, {self.watch.uptime_s:.0f} s after it was switched on")
            if deadline is not None and time.monotonic() > deadline:
                raise MachineError(f"the machine did not power off within {timeout_s:g} s")

    def keep_artefacts(self, directory: Path) -> list[Path]:
        """Put what helps to find a cause into `directory`, and return the files; never fails."""
        return keep_artefacts(self, directory)
