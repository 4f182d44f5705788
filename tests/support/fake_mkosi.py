#!/usr/bin/env python3
"""Stands in for mkosi on PATH: makes tiny artifacts at once, and misbehaves as FAKE_MKOSI says.

Every call is appended to the file that FAKE_MKOSI_CALLS names.
"""

import os
import sys
import time
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Do what the builder expects of `mkosi ARGUMENTS`."""
    if "--version" in arguments:
        print("mkosi 27.9")
        return
    if "box" in arguments:
        command = arguments[arguments.index("--") + 1 :]
        os.execvp(command[0], command)
    with Path(os.environ["FAKE_MKOSI_CALLS"]).open("a") as calls:
        print(*arguments, file=calls)
    if "--output-directory" in arguments:
        build_image(Path(value_of("--output-directory", arguments)), Path(value_of("--directory", arguments)))
    else:
        build_tools_tree(Path(value_of("--directory", arguments)))


def value_of(option: str, arguments: list[str]) -> str:
    return arguments[arguments.index(option) + 1]


def build_tools_tree(directory: Path) -> None:
    programs = directory / "tree/usr/bin"
    programs.mkdir(parents=True)
    (programs / "systemd-repart").write_text("a program")


def build_image(output: Path, tree: Path) -> None:
    print("‣ [main] Installing Debian", flush=True)
    match os.environ.get("FAKE_MKOSI"):
        case "unknown setting":
            print("‣ mkosi.conf: Unknown setting Speling", flush=True)
        case "no space":
            sys.exit("cp: error writing 'root': No space left on device")
        case "no network":
            sys.exit("E: Failed to fetch: Temporary failure resolving 'mirror'")
        case "hang":
            (output / "half.raw").touch()
            time.sleep(60)
    for suffix in ("raw", "efi", "manifest"):
        (output / f"claudineos_0.1.0.{suffix}").write_text((tree / "mkosi.conf").read_text())
    (output / "claudineos_0.1.0.roothash").write_text("ab" * 32)
    (output / "claudineos").symlink_to("claudineos_0.1.0.raw")


if __name__ == "__main__":
    main(sys.argv[1:])
