"""``python3 -I -m claudine_state rescue|serve|evidence|passphrase|settings``."""

import signal
import sys

from claudine_state.host import Host


def main(arguments: list[str]) -> int:
    """Run one command. What it does not need is not loaded: a start of Python is slow where it is emulated."""
    host = Host()
    match arguments:
        case ["rescue"]:
            return _rescue(host)
        case ["serve"]:
            from claudine_state.serve import serve

            serve(host)
        case ["evidence"]:
            from claudine_state.evidence import give_evidence

            give_evidence(host)
        case ["passphrase"]:
            return _passphrase(host)
        case ["settings"]:
            from claudine_state.settings import apply_settings

            apply_settings(host)
        case _:
            print("usage: claudine_state rescue|serve|evidence|passphrase|settings", file=sys.stderr)
            return 2
    return 0


def _rescue(host: Host) -> int:
    from claudine_state.console import Console, TerminalGoneError
    from claudine_state.rescue import Rescue
    from claudine_state.run import CommandError

    try:
        if Rescue(host, Console()).run():
            # Ends this service too, which is no failure of it.
            host.run(["systemctl", "--no-block", "default"])
            return 0
    except TerminalGoneError as error:
        print(f"The terminal is gone: {error.__cause__}", file=sys.stderr)
        return 1
    except CommandError as error:
        print(f"The boot cannot go on: {error}", file=sys.stderr)
        return 1
    # A service that ends would be started again, while the machine goes down.
    while True:
        signal.pause()


def _passphrase(host: Host) -> int:
    from claudine_state.console import Console, TerminalGoneError
    from claudine_state.passphrase import ask_at_first_start
    from claudine_state.run import CommandError

    try:
        ask_at_first_start(host, Console())
    except (CommandError, TerminalGoneError, OSError) as error:
        print(f"No passphrase was taken: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
