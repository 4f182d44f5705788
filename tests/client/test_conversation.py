"""What was chosen for a conversation survives being stored, and broken values harm nothing."""

import pytest

from claudine.conversation import ChatSettings


def test_settings_survive_being_written_down() -> None:
    chosen = ChatSettings("Be brief: „Grüße“.", 0.7, 64, 42, "m17", "We spoke of Paris.")
    assert ChatSettings.from_json(chosen.to_json()) == chosen
    assert ChatSettings.from_json(ChatSettings().to_json()) == ChatSettings()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        "null",
        '{"colour": "red"}',
        '{"temperature": NaN, "max_tokens": 0, "seed": -1}',
        '{"temperature": true, "max_tokens": true, "seed": false}',
        '{"temperature": 1e999, "max_tokens": 1e3, "seed": 1.5, "persona": 3, "cut": [], "summary": null}',
    ],
)
def test_settings_that_make_no_sense_are_the_usual_ones(text: str) -> None:
    assert ChatSettings.from_json(text) == ChatSettings()


def test_one_broken_setting_leaves_the_others() -> None:
    found = ChatSettings.from_json('{"temperature": "hot", "seed": 7, "persona": "Be\\u001b[2J brief."}')
    assert found == ChatSettings(persona="Be[2J brief.", seed=7)
