"""What a person sees while they wait."""

import pytest

from builder import log


def test_progress_in_plain_lines_says_how_fast_it_is_and_how_long_it_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([100.0, 101.0, 110.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    with log.progress("Writing", 500_000_000, 100_000_000) as advance:
        advance(50_000_000)
        advance(50_000_000)
    assert capsys.readouterr().err == "Writing: 200 of 500 MB, 10.0 MB/s, 30 s left\n"
