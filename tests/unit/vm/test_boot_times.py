"""What a boot waited for, from what systemctl says of its services."""

from builder.vm.boot_times import HAS_ENDED, IS_UP, MOST_UNITS, STARTS, UnitTime, slowest_units

BOOT_ENDS_US = 30_000_000


def shown(name: str, starts_us: int, is_up_us: int, has_ended_us: int = 0) -> str:
    return f"Id={name}\n{STARTS}={starts_us}\n{IS_UP}={is_up_us}\n{HAS_ENDED}={has_ended_us}\n"


def test_the_slowest_are_listed_in_the_order_of_their_start() -> None:
    quick = [shown(f"quick-{number}.service", 1_000_000, 1_000_001) for number in range(MOST_UNITS)]
    slow = [shown("model.service", 9_000_000, 14_500_000), shown("disk.service", 4_000_000, 6_000_000)]
    units = slowest_units("\n".join([*quick, *slow]), BOOT_ENDS_US)
    assert len(units) == MOST_UNITS
    assert units[-2:] == (UnitTime("disk.service", 4.0, 2.0), UnitTime("model.service", 9.0, 5.5))


def test_a_service_of_one_shot_took_until_it_ended() -> None:
    assert slowest_units(shown("once.service", 2_000_000, 0, 5_000_000), BOOT_ENDS_US)[0].seconds == 3.0


def test_what_was_never_started_or_is_not_up_at_the_end_does_not_count() -> None:
    never = shown("never.service", 0, 0)
    starting = shown("starting.service", 2_000_000, 0)
    later = shown("later.service", 40_000_000, 41_000_000)
    assert slowest_units("\n".join([never, starting, later]), BOOT_ENDS_US) == ()
