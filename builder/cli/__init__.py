"""The command line: one module a verb, loaded only when it is called, and one handler for errors.

Exit codes: 0 done, 1 a check failed, 2 wrong use or bad input, 3 a tool or machine failed, 130 interrupted.
"""

import errno
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from builder.errors import BuilderError

VERBS = {
    "build": "Build a signed disk image from a profile.",
    "explain": "Say where each line of the rendered configuration comes from.",
    "flash": "Write an image to a disk.",
    "keys": "Create and show the owner's signing keys.",
    "model": "List, check, add and build language models.",
    "profile": "List, show and check profiles.",
    "render": "Write the mkosi configuration that a profile stands for.",
    "run": "Boot an image in a virtual machine.",
    "test": "Check a booted image.",
    "verify": "Check every claim about an image, without booting it.",
}


class _Verbs(click.Group):
    """Imports a verb's module when it is used, so that `--help` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"builder.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="claudineos")
def cli() -> None:
    """Turn one YAML profile into a signed, flashable image of a private-AI appliance."""


def main(**options: Any) -> NoReturn:
    """Run the command line and exit with its code."""
    # Whoever stops us gets the same cleaning up as Ctrl+C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = cli.main(standalone_mode=False, **options)
    except BuilderError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        # The host's doing: a full disk, a path that cannot be written. Without a path it is a bug of ours.
        if error.errno != errno.ENOSPC and error.filename is None:
            raise
        _complain(f"{error.filename or 'the disk'}: {error.strerror}; nothing half-made was kept")
        sys.exit(3)
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted; nothing half-made was kept")
        sys.exit(130)
    sys.exit(result if isinstance(result, int) else 0)


def _complain(message: str) -> None:
    print(f"claudineos: {message}", file=sys.stderr)
