"""A root shell in the guest, on a virtio port, for tests and for `run --ask`.

The image is the one that ships: the shell's unit comes to it as a credential, and there is no such path on real
hardware. The protocol is a line each way, so that it survives binary data, newlines, and an answer that nobody waits
for any more (it carries the nonce of its question):

    guest → host   ready
    host → guest   NONCE LIMIT_S BASE64(command)
    guest → host   NONCE STATUS BASE64(stdout) BASE64(stderr)

The guest begins with an empty line, because one that went down while it answered may have left half a line.
The guest needs sh and coreutils (base64, timeout), and a writable /run.
"""

import base64
import binascii
import secrets
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from builder.errors import ToolError
from builder.run import Completed
from builder.vm.credentials import exec_quoted

PORT = "claudineos.shell"
UNIT = "claudineos-shell.service"
# What a start can have for its goal: the usual one, and the check of the machine (overlays/preflight).
TARGETS = ("multi-user.target", "claudine-preflight.target")
READY = b"ready"
# An emulated guest may take this long between the end of a command and its answer.
GRACE_S = 30.0
KILL_AFTER_S = 5
TICK_S = 1.0

# Waits by itself for the port: an ordering on udev's device unit would be one more thing that can hang the boot.
# A virtio port opens only once, so it is opened for both directions. `timeout` keeps a stuck command from blocking
# the port; the limit is the guest's, because only the guest can end it.
OPEN_PORT = f"until [ -e /dev/virtio-ports/{PORT} ]; do sleep 0.5; done; exec 3<>/dev/virtio-ports/{PORT}"
SERVE_PORT = f"""\
cd /
room=$RUNTIME_DIRECTORY
printf '\\n{READY.decode()}\\n' >&3
while read -r nonce limit command <&3; do
  printf %s "$command" | base64 -d >"$room/command"
  timeout -k {KILL_AFTER_S} "$limit" /bin/sh "$room/command" </dev/null >"$room/stdout" 2>"$room/stderr" 3>&-
  printf '%s %s ' "$nonce" $? >&3
  base64 -w0 "$room/stdout" >&3
  printf ' ' >&3
  base64 -w0 "$room/stderr" >&3
  echo >&3
done
"""


class ShellTimeoutError(ToolError):
    """A command did not end in time; the guest has ended it, and the shell is free for the next."""


@dataclass(frozen=True)
class Answer:
    """What a command did in the guest: its exit status, and what it wrote, in bytes."""

    returncode: int
    stdout: bytes
    stderr: bytes


def shell_credentials() -> dict[str, str]:
    """Return the credentials (name → text) that start the shell in a guest.

    Without default dependencies it is ordered after nothing and is there as soon as the real root's systemd is.
    """
    unit = f"""\
[Unit]
Description=Root shell that this virtual machine was started with
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh -c {exec_quoted(OPEN_PORT + chr(10) + SERVE_PORT)}
RuntimeDirectory={PORT}
RuntimeDirectoryMode=0700
Restart=always
RestartSec=1
"""
    wanted = f"[Unit]\nWants={UNIT}\n"
    return {f"systemd.extra-unit.{UNIT}": unit} | {f"systemd.unit-dropin.{target}": wanted for target in TARGETS}


def shell_arguments(socket_path: str) -> list[str]:
    """Return QEMU's arguments for the port, its other end being a unix socket on the host."""
    return [
        *("-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=shell,path={socket_path},server=on,wait=off"),
        *("-device", f"virtserialport,chardev=shell,name={PORT}"),
    ]


class GuestShell:
    """The host's end of the shell.

    `on_tick` is called about every second of waiting; what it raises ends the wait. It is the place to notice that the
    machine has died.
    """

    def __init__(self, connection: socket.socket, on_tick: Callable[[], None] = lambda: None) -> None:
        self._connection = connection
        self.on_tick = on_tick
        self._unread = bytearray()
        self.is_ready = False

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the guest's shell to announce itself."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready:
            line = self._read_line(deadline)
            if line is None:
                raise ShellTimeoutError(f"the guest's shell was not there within {timeout_s:g} s")
            self.is_ready = line == READY

    def run(self, command: str, timeout_s: float = 60.0) -> Completed:
        """Run a shell command as root and return its exit status and its output as text."""
        answer = self.run_binary(command, timeout_s)
        stdout, stderr = (text.decode(errors="replace") for text in (answer.stdout, answer.stderr))
        return Completed(answer.returncode, stdout, stderr)

    def start(self, command: str, timeout_s: float = 60.0) -> str:
        """Start a shell command as root, and wait for nothing; returns the nonce that its answer will carry."""
        nonce = secrets.token_hex(8)
        encoded = base64.b64encode(command.encode()).decode()
        self._send(f"{nonce} {timeout_s:.3f} {encoded}\n".encode())
        return nonce

    def run_binary(self, command: str, timeout_s: float = 60.0) -> Answer:
        """Run a shell command as root and return its exit status and its output as bytes.

        A ShellTimeoutError if it does not end within `timeout_s`; a ToolError if the shell goes away meanwhile.
        """
        started = time.monotonic()
        nonce = self.start(command, timeout_s)
        deadline = started + timeout_s + KILL_AFTER_S + GRACE_S
        while (line := self._read_line(deadline)) is not None:
            if line == READY:
                raise ToolError(f"the guest's shell started anew while it ran: {_short(command)}")
            if (answer := _parse_answer(line, nonce)) is None:
                continue
            # timeout(1): 124 when the limit ended the command, 137 when it had to be killed.
            if answer.returncode in (124, 137) and time.monotonic() - started >= timeout_s:
                break
            return answer
        raise ShellTimeoutError(f"the guest did not finish this within {timeout_s:g} s: {_short(command)}")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise ToolError(f"the guest's shell has gone ({error.strerror})") from error

    def _read_line(self, deadline: float) -> bytes | None:
        """Return the next whole line without its newline, None when `deadline` (monotonic, s) has passed."""
        while b"\n" not in self._unread:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            if not select.select([self._connection], [], [], min(left_s, TICK_S))[0]:
                self.on_tick()
                continue
            try:
                data = self._connection.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                self.on_tick()
                raise ToolError("the guest's shell has gone: the machine ended")
            self._unread += data
        line, _, rest = self._unread.partition(b"\n")
        self._unread = rest
        return bytes(line)


def _parse_answer(line: bytes, nonce: str) -> Answer | None:
    """Return the answer to the question `nonce`; None for a line that is not one, or answers another."""
    match line.split(b" "):
        case [answered, status, stdout, stderr] if answered == nonce.encode():
            try:
                decoded = (base64.b64decode(stdout, validate=True), base64.b64decode(stderr, validate=True))
                return Answer(int(status), *decoded)
            except (binascii.Error, ValueError):
                return None
    return None


def _short(command: str) -> str:
    first = command.strip().split("\n")[0]
    return first if len(first) <= 80 else first[:77] + "…"
