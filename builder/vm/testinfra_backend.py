"""pytest-testinfra through the guest's shell.

host = guest_host(machine)
assert host.service("claudine-models.socket").is_running
assert host.file("/").mode == 0o555
"""

from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult  # type: ignore[import-untyped]
from testinfra.host import Host  # type: ignore[import-untyped]

from builder.vm.machine import Machine

COMMAND_TIMEOUT_S = 120.0


class GuestBackend(BaseBackend):  # type: ignore[misc]
    """Runs testinfra's commands as root in a machine's guest."""

    NAME = "claudineos"

    def __init__(self, machine: Machine, *arguments: Any, **options: Any) -> None:
        super().__init__("guest", *arguments, **options)
        self._machine = machine
        # Else testinfra starts a Python in the guest to find out.
        self._encoding = "utf-8"

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a command (with testinfra's own quoting of `args`) and return what it did."""
        line = self.get_command(command, *args)
        self._machine.wait_for_shell()
        answer = self._machine.shell.run_binary(line, kwargs.get("timeout_s", COMMAND_TIMEOUT_S))
        return self.result(answer.returncode, self.encode(line), answer.stdout, answer.stderr)


def guest_host(machine: Machine) -> Host:
    """Return testinfra's view of a machine's guest."""
    return Host(GuestBackend(machine))
