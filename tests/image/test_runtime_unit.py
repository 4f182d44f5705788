"""The model runs by itself, cut off from everything but one socket."""

import errno
import re
from typing import Any

import pytest

from builder.vm.headless import runtime_unit, wait_for_model
from builder.vm.machine import Machine

SOCKET = "/run/claudine-runtime/llama.sock"


@pytest.fixture(scope="module")
def unit(machine: Machine) -> str:
    """The unit of the image's own model."""
    wait_for_model(machine)
    return runtime_unit(machine)


@pytest.fixture(scope="module")
def process_id(host: Any, unit: str) -> str:
    return str(host.check_output(f"systemctl show --property=MainPID --value {unit}"))


# mount (165) of nothing on nothing: a bad address for whoever may mount.
TRY_TO_MOUNT = (
    "import ctypes; l = ctypes.CDLL(None, use_errno=True); l.syscall(165, 0, 0, 0, 0, 0); print(ctypes.get_errno())"
)


def test_the_system_call_filter_is_active(host: Any, process_id: str) -> None:
    """It is not enough that there is a filter: the service manager has one too, and all processes inherit it."""
    status = dict(line.split(":\t", 1) for line in host.file(f"/proc/{process_id}/status").content_string.splitlines())
    manager = host.check_output("sed -n 's/^Seccomp_filters:\t//p' /proc/1/status")
    assert int(status["Seccomp_filters"]) > int(manager), "libseccomp2 is missing, or the filters are not applied"
    assert status["NoNewPrivs"] == "1"


def test_a_system_call_that_is_not_listed_is_refused(host: Any, unit: str) -> None:
    run = "systemd-run --quiet --wait --pipe"
    listed = host.check_output(f"systemctl show --property=SystemCallFilter --value {unit}")
    allowed = host.check_output(f"{run} python3 -I -c '{TRY_TO_MOUNT}'")
    filtered = f"{run} --property='SystemCallFilter={listed}' --property=SystemCallErrorNumber=EPERM"
    refused = host.check_output(f"{filtered} python3 -I -c '{TRY_TO_MOUNT}'")
    assert int(allowed) == errno.EFAULT
    assert int(refused) == errno.EPERM


def test_it_has_no_privileges(host: Any, process_id: str) -> None:
    lines = host.file(f"/proc/{process_id}/status").content_string.splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert host.check_output(f"stat -c %U:%G /proc/{process_id}") == "claudine-runtime:claudine"


def test_its_network_has_no_way_out(host: Any, process_id: str, unrestricted: str) -> None:
    inside = f"{unrestricted} nsenter --target {process_id} --net"
    assert host.check_output(f"readlink /proc/{process_id}/ns/net") != host.check_output("readlink /proc/1/ns/net")
    interfaces = host.check_output(f"cat /proc/{process_id}/net/dev").splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    connect = 'import socket; socket.create_connection(("192.0.2.1", 443))'
    refused = host.run(f"{inside} python3 -I -c '{connect}'")
    assert refused.rc != 0
    assert "Network is unreachable" in refused.stderr


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"])
def test_its_sandbox_opens_no_socket_but_unix_ones(host: Any, unit: str, family: str) -> None:
    """The unit's own restrictions, around a program that tries what the model must not be able to do."""
    properties = ("RestrictAddressFamilies", "SystemCallFilter", "CapabilityBoundingSet")
    shown = {name: host.check_output(f"systemctl show --property={name} --value {unit}") for name in properties}
    assert shown["RestrictAddressFamilies"] == "AF_UNIX"
    options = " ".join(f"--property='{name}={value}'" for name, value in shown.items())
    attempt = f"import socket; socket.socket(socket.{family}, socket.SOCK_RAW)"
    refused = host.run(f'systemd-run --quiet --wait --pipe {options} python3 -I -c "{attempt}"')
    assert "Address family not supported by protocol" in refused.stderr


def test_only_the_client_may_talk_to_it(host: Any) -> None:
    socket = host.file(SOCKET)
    assert (socket.is_socket, socket.user, socket.group) == (True, "claudine-runtime", "claudine")
    assert socket.mode & 0o007 == 0
    as_nobody = "setpriv --reuid=nobody --regid=nogroup --clear-groups"
    refused = host.run(f"{as_nobody} claudine status")
    assert refused.rc != 0
    assert host.run("setpriv --reuid=claudine --regid=claudine --clear-groups claudine status").rc == 0


def test_its_memory_is_limited_to_the_machines_less_1_gib(host: Any, unit: str) -> None:
    total_kib = int(host.check_output("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo"))
    limit = int(host.check_output(f"systemctl show --property=MemoryMax --value {unit}"))
    assert limit == (total_kib << 10) - (1 << 30)


def test_it_says_what_it_has_decided(host: Any, unit: str) -> None:
    said = host.check_output(f"journalctl --boot --unit={unit} --output=cat")
    assert re.search(r"_1: 2048 tokens of context, [0-9]+ threads; [0-9]+ of this machine's", said)


def test_its_image_is_mounted_through_a_signed_hash_tree(host: Any, process_id: str) -> None:
    """The kernel has the signature; nothing else in the mount is mounted over the weights."""
    mounts = [line.split() for line in host.check_output(f"cat /proc/{process_id}/mountinfo").splitlines()]
    # proc_pid_mountinfo(5): the device's number, the mount point, its options, and the file system behind a dash.
    [model] = [mount for mount in mounts if mount[4] == "/run/model"]
    assert "ro" in model[5].split(",")
    assert model[model.index("-") + 1] == "erofs"
    table = host.check_output(f"dmsetup table $(cat /sys/dev/block/{model[2]}/dm/name)")
    assert "root_hash_sig_key_desc" in table.split()


def test_nothing_of_a_conversation_is_in_the_journal(machine: Machine, unit: str) -> None:
    word = "quintessentially"
    machine.succeed(f"claudine ask 'Repeat this word: {word}'", timeout_s=600)
    assert word not in machine.succeed(f"journalctl --boot --unit={unit} --output=cat")


def test_it_answers(machine: Machine) -> None:
    answer = machine.succeed("claudine ask 'What is the capital of France?'", timeout_s=600)
    assert "Paris" in answer
