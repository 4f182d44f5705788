"""What a person sees while something runs: steps with their duration, and progress.

Everything goes to stderr, so that stdout carries only results. On a terminal, progress redraws one line (rich);
elsewhere it is a plain line every few seconds.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PLAIN_PROGRESS_INTERVAL_S = 5.0

_depth = 0


def info(message: str) -> None:
    """Write one line, indented under the step that is under way."""
    print("  " * _depth + message, file=sys.stderr, flush=True)


def warning(message: str) -> None:
    """Write one line that a person should not miss."""
    info(f"warning: {message}")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce what is done now, and say how long it took when it is over."""
    global _depth
    info(f"{title} …")
    started = time.monotonic()
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
    info(f"{title}: done in {time.monotonic() - started:.1f} s")


@contextmanager
def progress(title: str, total_bytes: int, done_bytes: int = 0) -> Iterator[Callable[[int], None]]:
    """Show how far a transfer of `total_bytes` is; the value is called with each further count of bytes."""
    if sys.stderr.isatty():
        with _bar(title, total_bytes, done_bytes) as advance:
            yield advance
    else:
        yield _lines(title, total_bytes, done_bytes)


@contextmanager
def _bar(title: str, total_bytes: int, done_bytes: int) -> Iterator[Callable[[int], None]]:
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("  " * _depth + title, total=total_bytes, completed=done_bytes)
        yield lambda count: bar.advance(task, count)


def _lines(title: str, total_bytes: int, done_bytes: int) -> Callable[[int], None]:
    started = shown = time.monotonic()
    before_bytes = done_bytes

    def advance(count: int) -> None:
        nonlocal done_bytes, shown
        done_bytes += count
        now = time.monotonic()
        if now - shown >= PLAIN_PROGRESS_INTERVAL_S:
            shown = now
            rate = (done_bytes - before_bytes) / (now - started)
            left_s = (total_bytes - done_bytes) / rate if rate else 0
            done = f"{done_bytes / 1e6:.0f} of {total_bytes / 1e6:.0f} MB"
            info(f"{title}: {done}, {rate / 1e6:.1f} MB/s, {left_s:.0f} s left")

    return advance
