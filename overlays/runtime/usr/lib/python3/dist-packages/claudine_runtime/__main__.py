"""``python3 -I -m claudine_runtime run MODEL|serve|choice``."""

import sys


def main(arguments: list[str]) -> int:
    """Run one command. What it does not need is not loaded: a start of Python is slow where it is emulated."""
    match arguments:
        case ["run", model]:
            from claudine_runtime.launch import launch

            return launch(model)
        case ["serve"]:
            from claudine_runtime.serve import serve
            from claudine_runtime.shelf import Shelf

            _end_tidily()
            serve(Shelf())
        case ["choice"]:
            from claudine_runtime.shelf import Shelf
            from claudine_runtime.use import apply_choice

            _end_tidily()
            return apply_choice(Shelf())
        case _:
            print("usage: claudine_runtime run MODEL|serve|choice", file=sys.stderr)
            return 2
    return 0


def _end_tidily() -> None:
    """Undo what is half done, when the service is stopped."""
    import signal

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
