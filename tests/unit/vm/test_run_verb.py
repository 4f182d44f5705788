"""`claudineos run` with something wrong: said before anything is fetched, built or booted."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from builder.cli.run import command, machine_directory
from builder.errors import BuilderError
from builder.vm.attended import check_window


@pytest.fixture(autouse=True)
def no_toolchain(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("it went on to open the toolchain")

    monkeypatch.setattr("builder.cli.run.open_toolchain", fail)


def refusal(*arguments: str) -> str:
    """Run the verb, expect it to refuse, and return what it says."""
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert isinstance(result.exception, BuilderError | click.ClickException), result.exception
    assert result.exception.exit_code == 2
    assert result.stdout == ""
    return (
        result.exception.format_message()
        if isinstance(result.exception, click.ClickException)
        else str(result.exception)
    )


def test_without_a_build_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no built image in build/qemu/out\nBuild one with `claudineos build`" in refusal()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["/nowhere.raw"], "there is no image /nowhere.raw"),
        (["/"], "/ is a directory"),
        (["/proc/version"], "has no GPT partition table"),
        (["IMAGE", "--ask", "  "], "--ask has nothing to ask"),
        (["IMAGE", "--serial", "--ask", "Hello?"], "--serial needs a person"),
        (["IMAGE", "--serial", "--screenshot", "a.png"], "--serial needs a person"),
        (["IMAGE", "--screenshot", "/nowhere/a.png"], "there is no directory /nowhere"),
        (["IMAGE", "--screenshot", "/tmp"], "/tmp is a directory"),
        (["IMAGE", "--screenshot", "/proc/a.png"], "the picture cannot be written into /proc"),
        (["IMAGE", "--memory", "12"], "12 MiB of memory are too little"),
        (["IMAGE", "--memory", "much"], "'much' is not a valid integer"),
        (["IMAGE", "--cpus", "5000"], "a machine with 5000 CPUs: this host has"),
        (["IMAGE", "--disk", "floppy"], "'floppy' is not one of 'virtio', 'nvme', 'ahci', 'usb', 'emmc'"),
        (["IMAGE"], "no graphical session here to open a window in\nUse --serial"),
    ],
)
def test_bad_input_is_refused(
    image_file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], complaint: str
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert complaint in refusal(*(str(image_file) if word == "IMAGE" else word for word in arguments))


@pytest.mark.parametrize(
    ("image", "directory"),
    [("/a/build/mini-pc/out/x.raw", "/a/build/mini-pc/machine"), ("/downloads/x_1.raw", "build/x_1/machine")],
)
def test_a_machine_lives_beside_what_it_boots(image: str, directory: str) -> None:
    assert machine_directory(Path(image)) == Path(directory)


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_window_opens_in_either_kind_of_session(name: str) -> None:
    check_window({name: ":0"})
