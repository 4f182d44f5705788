#!/usr/bin/env python3
"""Stands in for systemd-repart on PATH: puts files into an image without any format, one after the other."""

import json
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Do what the builder expects of `systemd-repart ARGUMENTS`."""
    target = Path(arguments[-1])
    if "--empty=create" in arguments:
        root = Path(value_of("--copy-source", arguments))
        target.write_bytes(b"".join(path.read_bytes() for path in sorted(root.iterdir())))
        print(json.dumps([{"type": "root-x86-64", "roothash": "cd" * 32}, {"type": "root-x86-64-verity-sig"}]))
        return
    root, definitions = Path(value_of("--root", arguments)), Path(value_of("--definitions", arguments))
    (definition,) = definitions.iterdir()
    copied = next(line for line in definition.read_text().splitlines() if line.startswith("CopyBlocks="))
    with target.open("ab") as disk:
        disk.write((root / copied.partition("=/")[2]).read_bytes())


def value_of(option: str, arguments: list[str]) -> str:
    return arguments[arguments.index(option) + 1]


if __name__ == "__main__":
    main(sys.argv[1:])
