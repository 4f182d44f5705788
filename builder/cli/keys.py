"""`claudineos keys`: create a key set, and show one."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import click

from builder import log
from builder.keys import KeyDescription, create_keys, describe, load_keys

# Not click's own check of access: the keys layer says what to do as well.
_DIRECTORY = click.Path(path_type=Path, readable=False)


@click.group()
def command() -> None:
    """Create and show the owner's signing keys."""


@command.command()
@click.argument("directory", metavar="DIR", type=_DIRECTORY)
@click.option("--owner", default="Owner", show_default=True, help="Name that the certificates carry.")
def create(directory: Path, owner: str) -> None:
    """Make a new key set in DIR, which must not exist yet or be empty."""
    keys = create_keys(directory, owner)
    log.info("Made five keys:")
    for pair in keys.pairs:
        log.info(f"  {pair.role:<6}  {pair.role.purpose}")
    log.info("Make a backup now: without these keys, devices that trust them can never be updated.")
    log.info("Who has db.key or verity.key can make images that your devices boot; guard both alike.")
    log.info(
        "PK.key and KEK.key can go offline: move them to a medium that you keep locked away. Builds do not use them."
    )
    click.echo(directory)


@command.command()
@click.argument("directory", metavar="DIR", type=_DIRECTORY)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def show(directory: Path, as_json: bool) -> None:
    """Check the key set in DIR and say what is in it."""
    keys = load_keys(directory)
    described = describe(keys, datetime.now(UTC))
    if keys.throwaway:
        log.warning("a throw-away key set: its private keys are not guarded, do not use it for real devices")
    for key in described:
        if key.expired:
            log.warning(f"{key.role}'s certificate has expired; firmware and kernel do not mind, other tools may")
    if as_json:
        rows = [dataclasses.asdict(key) for key in described]
        click.echo(json.dumps({"directory": str(directory), "throwaway": keys.throwaway, "keys": rows}, indent=2))
    else:
        click.echo("\n\n".join(map(_paragraph, described)))


def _paragraph(key: KeyDescription) -> str:
    where = "present" if key.private_key_present else "not here (offline)"
    lines = (
        f"{key.role}: {key.subject}",
        f"  purpose      {key.purpose}",
        f"  SHA-256      {key.sha256}",
        f"  expires      {key.not_after}",
        f"  key          RSA-{key.key_bits}, private key {where}",
    )
    return "\n".join(lines)
