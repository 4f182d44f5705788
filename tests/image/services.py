"""Services that root starts in the guest."""

from builder.vm.machine import Machine

_UNIT = "unrestricted"
_DROP_IN = f"/run/systemd/system/{_UNIT}.service.d/99-any.conf"


def unrestricted_service(machine: Machine) -> str:
    """Take root's own way around the rule that no service may name a network; return what to put before a command."""
    reset = "[Service]\\nRestrictAddressFamilies=\\n"
    machine.succeed(f"mkdir -p $(dirname {_DROP_IN}) && printf '{reset}' >{_DROP_IN}")
    return f"systemd-run --quiet --wait --pipe --collect --unit={_UNIT}"
