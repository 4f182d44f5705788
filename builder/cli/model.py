"""`claudineos model`: the catalogue of language models, and their signed images."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from builder import log, profile
from builder.keys import signing_keys
from builder.model.add import Wishes, describe, origin_of, write_entry
from builder.model.ddi import build_model_image, model_description
from builder.model.memory import fit
from builder.profile.catalogue import MODELS
from builder.toolchain import open_toolchain


@click.group()
def command() -> None:
    """List, check, add and build language models.

    The catalogue is the folder models/ where you are, and that of this repository. MODEL is a name from
    `claudineos model list`, or the path of a .yaml file.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_(as_json: bool) -> None:
    """List the models of the catalogue."""
    entries = profile.list_models(_folders())
    if as_json:
        data = [{**model_description(one.model), "id": one.model.id, "path": str(one.path)} for one in entries]
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    rows = [
        (one.model.name, _megabytes(one.model.weights.size_bytes), one.model.licence.id, one.model.title)
        for one in entries
    ]
    _table(rows)


@command.command()
@click.argument("name", metavar="MODEL")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, as_json: bool) -> None:
    """Print what is known of a model, and the memory that it needs."""
    entry = profile.load_model(name, _folders())
    model = entry.model
    memory = {str(tokens): model.memory_bytes(tokens) for tokens in _contexts(model.context_tokens)}
    if as_json:
        data = {**model_description(model), "id": model.id, "path": str(entry.path), "memory_bytes": memory}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    _table(
        [
            ("name", model.name),
            ("version", model.version),
            ("title", model.title),
            ("licence", model.licence.id),
            ("languages", ", ".join(model.languages)),
            ("architecture", model.architecture),
            ("parameters", f"{model.parameters / 1e6:.0f} million"),
            ("quantisation", model.quantisation),
            ("trained for", f"{model.context_tokens} tokens"),
            ("weights", _megabytes(model.weights.size_bytes)),
            *((f"memory at {tokens} tokens", _megabytes(bytes_)) for tokens, bytes_ in memory.items()),
            ("SHA-256", model.weights.sha256),
            ("described in", str(entry.path)),
        ]
    )


@command.command()
@click.argument("profile_name", metavar="PROFILE", default="qemu")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def check(profile_name: str, as_json: bool) -> None:
    """Say which models fit into the memory of PROFILE's smallest machine, and by how much."""
    chosen = profile.load_profile(profile_name).profile
    memory_bytes = chosen.hardware.memory_for_model_bytes
    fits = [fit(one.model, memory_bytes, chosen.model.context_tokens) for one in profile.list_models(_folders())]
    if as_json:
        data = [
            {
                "name": one.model.name,
                "fits": one.fits,
                "needed_bytes": one.needed_bytes,
                "spare_bytes": one.spare_bytes,
                "context_tokens": one.context_tokens,
            }
            for one in fits
        ]
        click.echo(json.dumps(data, indent=2))
        return
    log.info(f"{_megabytes(memory_bytes)} for the model of {chosen.name}, of {chosen.hardware.memory_mib} MiB in all:")
    rows = []
    for one in fits:
        if one.spare_bytes >= 0:
            verdict = f"fits; {_megabytes(one.spare_bytes)} to spare at {one.context_tokens} tokens"
        elif one.fits:
            verdict = f"fits with shorter conversations: {one.context_tokens} tokens"
        else:
            verdict = f"does not fit: {_megabytes(-one.spare_bytes)} are missing"
        rows.append((one.model.name, _megabytes(one.needed_bytes), verdict))
    _table(rows)


@command.command()
@click.argument("file_or_url", metavar="FILE|URL")
@click.option("--name", help="Name in the catalogue.  [default: from the file's metadata]")
@click.option("--version", default="1", show_default=True, help="Version of the model image.")
@click.option("--title", help="Name of the model in one line.  [default: from the file's metadata]")
@click.option("--licence", metavar="SPDX", help="Its licence.  [default: from the file's metadata]")
@click.option("--licence-text", metavar="FILE|URL", help="The licence's full text.  [default: Debian's copy]")
@click.option("--language", "languages", multiple=True, help="A language that it was trained for; may be repeated.")
@click.option("--sha256", help="The SHA-256 that the file must have.")
@click.option("--to", type=click.Path(path_type=Path), default=Path(MODELS), show_default=True, help="Where to write.")
def add(
    file_or_url: str,
    name: str | None,
    version: str,
    title: str | None,
    licence: str | None,
    licence_text: str | None,
    languages: tuple[str, ...],
    sha256: str | None,
    to: Path,
) -> None:
    """Check a GGUF file, show what it says, and write its entry into the catalogue.

    The folder models/ beside your profiles is where they look for it.
    """
    wishes = Wishes(name, version, title, licence, licence_text, languages, sha256)
    data, facts = describe(origin_of(file_or_url), wishes)
    log.info(f"{data['title']}: {facts.architecture}, {facts.parameters / 1e6:.0f} million parameters")
    log.info(f"  {facts.quantisation}, {_megabytes(facts.size_bytes)}, trained for {facts.context_tokens} tokens")
    log.info(f"  licence {data['licence']['id']}, SHA-256 {data['weights']['sha256']}")
    log.info("  chat template:")
    for line in facts.chat_template.splitlines():
        log.info(f"    {line}")
    click.echo(write_entry(data, to).path)


@command.command()
@click.argument("name", metavar="MODEL")
@click.option("--keys", "keys_dir", type=click.Path(path_type=Path), help="Directory of the keys to sign with.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: ID.raw]")
@click.option(
    "--build-dir",
    type=click.Path(path_type=Path),
    default=Path("build"),
    show_default=True,
    help="Where the throw-away keys are, if there are no others.",
)
def build(name: str, keys_dir: Path | None, output: Path | None, build_dir: Path) -> None:
    """Make the signed image of MODEL and print its path."""
    entry = profile.load_model(name, _folders())
    keys = signing_keys(keys_dir, build_dir.absolute() / "throwaway-keys")
    image = build_model_image(entry, keys, open_toolchain())
    target = output or Path(f"{image.id}.raw")
    beside = target.with_name(f".{target.name}.new")
    try:
        shutil.copyfile(image.path, beside)
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)
    log.info(f"root hash {image.root_hash}")
    click.echo(target)


@command.command()
def schema() -> None:
    """Print the JSON Schema of a model's file, for editors."""
    click.echo(json.dumps(profile.model_schema(), indent=2, ensure_ascii=False))


def _folders() -> tuple[Path, ...]:
    return profile.model_folders(Path())


def _contexts(trained: int) -> list[int]:
    return sorted({min(tokens, trained) for tokens in (2048, 8192, 32768)})


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
