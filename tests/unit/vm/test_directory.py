import json
import os
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.toolchain import Toolchain
from builder.vm.directory import MachineDirectory, locked, open_directory, prepare
from builder.vm.disk_image import open_disk_image
from tests.support.gpt_image import gpt_image
from tests.unit.vm.conftest import FakeTool

OUR_KEYS = "owner"


@pytest.fixture
def used(tmp_path: Path, toolchain: Toolchain, image_file: Path, fake_tool: FakeTool) -> MachineDirectory:
    """A machine that has run once: keys enrolled, state in the TPM, something written to its disk."""
    fake_tool("qemu-img", "pathlib.Path(arguments[-2]).write_text(f'new disk over {arguments[-3]}')")
    enrolling(fake_tool, OUR_KEYS)
    directory = open_directory(tmp_path / "machine")
    prepare(toolchain, directory, open_disk_image(image_file), fresh=False)
    directory.variables.write_text("enrolled")
    directory.tpm.mkdir()
    directory.disk.write_text("written to")
    return directory


def enrolling(fake_tool: FakeTool, keys: str) -> None:
    fake_tool(
        "mcopy",
        f"[(pathlib.Path(arguments[-1]) / n).write_text({keys!r}) for n in ('PK.auth', 'KEK.auth', 'db.auth')]",
    )


def state(directory: MachineDirectory) -> tuple[str, bool, bool]:
    """Return the firmware's variables, whether the TPM has state, and whether the disk is new."""
    return (
        directory.variables.read_text(),
        directory.tpm.exists(),
        directory.disk.read_text().startswith("new disk over"),
    )


def test_a_machine_keeps_everything_while_the_image_stays(
    used: MachineDirectory, toolchain: Toolchain, image_file: Path
) -> None:
    prepare(toolchain, used, open_disk_image(image_file), fresh=False)
    assert state(used) == ("enrolled", True, False)


def test_fresh_makes_everything_anew(used: MachineDirectory, toolchain: Toolchain, image_file: Path) -> None:
    prepare(toolchain, used, open_disk_image(image_file), fresh=True)
    assert state(used) == ("no keys", False, True)


def test_a_new_machine_may_trust_its_vendor_only(
    used: MachineDirectory, toolchain: Toolchain, image_file: Path
) -> None:
    image = open_disk_image(image_file)
    prepare(toolchain, used, image, fresh=False, firmware_keys="vendor")
    assert used.variables.read_text() == "enrolled"
    prepare(toolchain, used, image, fresh=True, firmware_keys="vendor")
    assert used.variables.read_text() == "vendor's keys"


def test_the_board_is_the_same_as_long_as_its_tpm_is(
    used: MachineDirectory, toolchain: Toolchain, image_file: Path
) -> None:
    board_id = used.board_id.read_text()
    prepare(toolchain, used, open_disk_image(image_file), fresh=False)
    assert used.board_id.read_text() == board_id
    prepare(toolchain, used, open_disk_image(image_file), fresh=True)
    assert used.board_id.read_text() != board_id


@pytest.mark.parametrize(
    ("keys", "kept"),
    [(OUR_KEYS, ("enrolled", True, True)), ("somebody else", ("no keys", False, True))],
)
def test_another_image_gets_a_new_disk_and_keeps_the_firmware_if_the_keys_are_the_same(
    used: MachineDirectory,
    toolchain: Toolchain,
    image_file: Path,
    fake_tool: FakeTool,
    capsys: pytest.CaptureFixture[str],
    keys: str,
    kept: tuple[str, bool, bool],
) -> None:
    enrolling(fake_tool, keys)
    image_file.write_bytes(gpt_image() + b"more")
    prepare(toolchain, used, open_disk_image(image_file), fresh=False)
    assert state(used) == kept
    assert "its disk is made anew" in capsys.readouterr().err


def test_an_image_that_enrols_nothing_never_keeps_the_firmware(
    used: MachineDirectory, toolchain: Toolchain, image_file: Path
) -> None:
    image_file.write_bytes(gpt_image(esp=False))
    prepare(toolchain, used, open_disk_image(image_file), fresh=False)
    assert state(used) == ("no keys", False, True)


@pytest.mark.parametrize("damage", ["half of it {", "[]", json.dumps({"schema": 2})])
def test_a_record_that_cannot_be_relied_on_means_a_new_machine(
    used: MachineDirectory, toolchain: Toolchain, image_file: Path, damage: str
) -> None:
    used.record.write_text(damage)
    prepare(toolchain, used, open_disk_image(image_file), fresh=False)
    assert state(used) == ("no keys", False, True)


def test_a_preparation_that_fails_is_done_again(
    used: MachineDirectory, toolchain: Toolchain, image_file: Path, fake_tool: FakeTool
) -> None:
    image_file.write_bytes(gpt_image() + b"more")
    fake_tool("qemu-img", "sys.exit('no space left on device')")
    with pytest.raises(BuilderError, match="no space left"):
        prepare(toolchain, used, open_disk_image(image_file), fresh=False)
    assert not used.record.exists()


def test_a_machine_in_use_is_refused(tmp_path: Path) -> None:
    directory = open_directory(tmp_path / "machine")
    with locked(directory), pytest.raises(BuilderError, match="a machine is running in"), locked(directory):
        pass
    with locked(directory):
        pass


def test_the_lock_lasts_as_long_as_a_program_that_holds_it(tmp_path: Path) -> None:
    directory = open_directory(tmp_path / "machine")
    with locked(directory) as lock:
        inherited = os.dup(lock)
    with pytest.raises(BuilderError, match="a machine is running in"), locked(directory):
        pass
    os.close(inherited)
    with locked(directory):
        pass


@pytest.mark.parametrize(("name", "complaint"), [("a,b", "comma"), ("file/machine", "cannot be a machine's directory")])
def test_a_directory_that_cannot_hold_a_machine_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BuilderError, match=complaint):
        open_directory(tmp_path / name)
