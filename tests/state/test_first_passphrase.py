"""The passphrase that a person chooses before the disk is made."""

from collections.abc import Callable

import pytest

from claudine_state.console import Console, TerminalGoneError
from claudine_state.passphrase import ask_at_first_start, choose, forget, passphrase_path
from tests.state.person import Person
from tests.state.simulated_machine import PASSPHRASE, SimulatedMachine


def asking(machine: SimulatedMachine) -> Callable[[Console], None]:
    return lambda console: ask_at_first_start(machine.host, console)


def answer(person: Person[None], passphrase: str) -> None:
    person.reads("Passphrase: ")
    person.types(passphrase + "\n")
    person.reads("Once more:  ")
    person.types(passphrase + "\n")
    person.end()


def test_asks_until_it_is_long_enough_and_came_twice() -> None:
    with Person(choose) as person:
        person.reads("at least 12 characters, because")
        person.reads("Passphrase: ")
        person.types("elevenchars\n")
        person.reads("That has 11 characters")
        person.reads("Passphrase: ")
        person.types("with an arrow \x1b[C\n")
        person.reads("no character")
        person.reads("Passphrase: ")
        person.types(PASSPHRASE + "\n")
        person.reads("Once more:  ")
        person.types(PASSPHRASE + ".\n")
        person.reads("not the same")
        person.reads("Passphrase: ")
        person.types("zwölf Zeichen  \n")
        person.reads("Once more:  ")
        person.types("zwölf Zeichen  \n")
        assert person.end() == "zwölf Zeichen  "
    assert "horse" not in person.screen


def test_it_lies_in_memory_for_root_alone_until_it_is_forgotten(machine: SimulatedMachine) -> None:
    machine.put("run/claudine-state/passphrase", "left over").chmod(0o644)
    with Person(asking(machine)) as person:
        answer(person, PASSPHRASE)
    path = passphrase_path(machine.host)
    assert path.read_bytes() == PASSPHRASE.encode()
    assert path.stat().st_mode & 0o777 == 0o600
    forget(machine.host)
    forget(machine.host)
    assert not path.exists()


def test_nobody_is_asked_when_there_is_a_disk_but_the_file_is_there(machine: SimulatedMachine) -> None:
    machine.put_partition()
    with Person(asking(machine)) as person:
        person.end()
    assert person.screen == ""
    assert passphrase_path(machine.host).read_bytes() == b""


def test_a_factory_reset_asks_although_the_old_disk_is_still_there(machine: SimulatedMachine) -> None:
    machine.put_partition()
    machine.resetting = True
    with Person(asking(machine)) as person:
        answer(person, PASSPHRASE)
    assert passphrase_path(machine.host).read_bytes() == PASSPHRASE.encode()


def test_a_terminal_that_is_gone_ends_it() -> None:
    with Person(choose) as person:
        person.reads("Passphrase: ")
        person.hang_up()
        with pytest.raises(TerminalGoneError):
            person.end()
