from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.toolchain import Toolchain
from builder.vm.accel import Accelerator
from builder.vm.directory import MachineDirectory
from builder.vm.firmware import open_firmware
from builder.vm.hardware import Hardware, Sockets, check_hardware, qemu_argv
from builder.vm.tpm import swtpm_argv

FILES = MachineDirectory(Path("/machine"))
SOCKETS = Sockets(Path("/tmp/s"))
BOARD_ID = "7d4f2c1e-9f58-4a3b-8a7e-2b1f0c6d5e4a"


def argv(toolchain: Toolchain, hardware: Hardware, accelerator: str = "tcg") -> str:
    """Return QEMU's arguments as one line."""
    firmware = open_firmware(toolchain)
    return " ".join(qemu_argv(hardware, Accelerator(accelerator, ""), firmware, FILES, SOCKETS, BOARD_ID))


@pytest.mark.parametrize(
    "argument",
    [
        "-nodefaults",
        "-machine q35,smm=on,i8042=on,",
        "driver=cfi.pflash01,property=secure,value=on",
        "node-name=firmware-code,read-only=on",
        "OVMF_CODE_4M.secboot.fd",
        "node-name=firmware-variables,filename=/machine/vars.fd",
        '"driver": "qcow2"',
        '"filename": "/machine/disk.qcow2"',
        "virtio-blk-pci,drive=disk,bootindex=0",
        "socket,id=tpm,path=/tmp/s/tpm",
        "virtio-rng-pci",
        "-nic none",
        "-vga virtio -display none",
        "file,id=serial,path=/machine/serial.log,input-path=/tmp/s/serial",
        "-qmp unix:/tmp/s/qmp,server=on,wait=off",
        "virtserialport,chardev=shell,name=claudineos.shell",
        "-accel tcg,thread=multi,tb-size=1024 -cpu max",
        "-smp 1 -m 1536",
        f"-uuid {BOARD_ID}",
        "qemu-xhci",
    ],
)
def test_a_machine_has_the_parts_of_an_appliance(toolchain: Toolchain, argument: str) -> None:
    assert argument in argv(toolchain, Hardware(memory_mib=1536, cpus=1))


def test_a_machine_can_have_an_old_processor(toolchain: Toolchain) -> None:
    assert "-cpu qemu64 " in argv(toolchain, Hardware(processor="qemu64"))


def test_a_machine_with_a_person_at_it_has_no_root_shell(toolchain: Toolchain) -> None:
    line = argv(toolchain, Hardware(guest_shell=False, serial="terminal"))
    assert "claudineos.shell" not in line
    assert "credential" not in line
    assert "-monitor chardev:serial" in line
    assert "stdio,id=serial,mux=on,signal=off,logfile=/machine/serial.log" in line


def test_a_network_card_is_recorded_and_boots_nothing(toolchain: Toolchain) -> None:
    line = argv(toolchain, Hardware(network="virtio"))
    assert "virtio-net-pci,netdev=cable,romfile= " in line
    assert "filter-dump,id=recorder,netdev=cable,file=/machine/network.pcap" in line
    assert "-nic none" not in line


@pytest.mark.parametrize(
    ("hardware", "arguments"),
    [
        (Hardware(disk="nvme"), ["nvme,drive=disk,serial=claudineos,bootindex=0"]),
        (Hardware(disk="ahci"), ["ide-hd,drive=disk,bus=ide.0,bootindex=0"]),
        (Hardware(disk="usb"), ["usb-storage,drive=disk,bus=usb.0,bootindex=0"]),
        (Hardware(disk="emmc"), ["-device sdhci-pci -device emmc,drive=disk"]),
        (Hardware(keyboard="usb"), ["i8042=off", "usb-kbd,bus=usb.0"]),
        (Hardware(keyboard="usb-hub"), ["i8042=off", "usb-hub,bus=usb.0,port=1", "usb-kbd,bus=usb.0,port=1.1"]),
        (Hardware(graphics="std"), ["-vga std"]),
        (Hardware(tpm="crb"), ["-device tpm-crb,tpmdev=tpm0"]),
        (Hardware(network="e1000e"), ["e1000e,netdev=cable,romfile= ", "filter-dump,id=recorder,netdev=cable"]),
    ],
)
def test_a_machine_can_have_the_parts_of_a_real_one(
    toolchain: Toolchain, hardware: Hardware, arguments: list[str]
) -> None:
    line = argv(toolchain, hardware)
    for argument in arguments:
        assert argument in line
    if hardware.disk != "virtio":
        assert "virtio-blk" not in line


def test_a_usb_part_comes_after_its_controller(toolchain: Toolchain) -> None:
    line = argv(toolchain, Hardware(disk="usb", keyboard="usb"))
    assert line.index("qemu-xhci") < line.index("usb-storage") < line.index("usb-kbd")


def test_a_machine_may_have_no_tpm(toolchain: Toolchain) -> None:
    assert "tpm-tis" not in argv(toolchain, Hardware(tpm=None))


def test_no_machine_restarts_only_once(toolchain: Toolchain) -> None:
    """Enrolling the keys restarts it."""
    assert "-no-reboot" not in argv(toolchain, Hardware())


def test_kvm_is_used_where_it_was_chosen(toolchain: Toolchain) -> None:
    assert "-accel kvm -cpu max" in argv(toolchain, Hardware(), "kvm")


def test_the_tpm_keeps_its_state_and_ends_with_the_machine() -> None:
    line = " ".join(swtpm_argv(FILES.tpm, SOCKETS.tpm))
    assert "--tpm2 --terminate --tpmstate dir=/machine/tpm --ctrl type=unixio,path=/tmp/s/tpm" in line


def test_firmware_that_is_not_there_is_named(toolchain: Toolchain) -> None:
    (toolchain.tools_tree / "usr/share/OVMF/OVMF_VARS_4M.fd").unlink()
    with pytest.raises(BuilderError, match=r"has no OVMF_VARS_4M\.fd"):
        open_firmware(toolchain)


@pytest.mark.parametrize(
    ("hardware", "complaint"),
    [
        (Hardware(cpus=0), "this host has"),
        (Hardware(cpus=4096), "this host has"),
        (Hardware(memory_mib=64), "too little"),
        (Hardware(memory_mib=5000), "this host has 4000 MiB to spare"),
        (Hardware(memory_mib=4000), None),
    ],
)
def test_a_machine_that_the_host_cannot_hold_is_refused(
    tmp_path: Path, hardware: Hardware, complaint: str | None
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000000 kB\nMemAvailable:    4096000 kB\n")
    if complaint is None:
        check_hardware(hardware, meminfo=meminfo)
    else:
        with pytest.raises(BuilderError, match=complaint):
            check_hardware(hardware, meminfo=meminfo)
