"""Recovery keys as people type them."""

import random

import pytest

from claudine_state.recovery_key import LETTERS, NotARecoveryKeyError, normalise
from tests.state.simulated_machine import RECOVERY_KEY

PLAIN = RECOVERY_KEY.replace("-", "")


@pytest.mark.parametrize(
    "typed",
    [
        RECOVERY_KEY,
        RECOVERY_KEY.upper(),
        PLAIN,
        f"  {PLAIN}\n",
        " ".join(PLAIN),
        RECOVERY_KEY.replace("-", " - "),
        "--" + PLAIN,
    ],
)
def test_however_it_is_written(typed: str) -> None:
    assert normalise(typed) == RECOVERY_KEY


def test_any_key_in_any_spelling() -> None:
    choose = random.Random(7)
    for _ in range(200):
        key = "-".join("".join(choose.choices(LETTERS, k=8)) for _ in range(8))
        spelled = "".join(choose.choice([letter, letter.upper(), f"{letter} ", f"{letter}-"]) for letter in key)
        assert normalise(spelled) == key


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "It has 0 letters"),
        ("reset", "the letter s"),
        (PLAIN[:-1], "It has 63 letters"),
        (PLAIN + "c", "It has 65 letters"),
        (PLAIN[:-1] + "a", "the letter a"),
        (PLAIN[:-1] + "1", "a character"),
        (PLAIN[:-1] + "\u0131", "a character"),
        (PLAIN[:-1] + "\x1b", "a character"),
        (PLAIN[:-1] + "\udcff", "a character"),
    ],
)
def test_says_at_once_what_is_wrong(typed: str, reason: str) -> None:
    with pytest.raises(NotARecoveryKeyError, match=reason):
        normalise(typed)
