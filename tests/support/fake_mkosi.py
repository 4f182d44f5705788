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
        tree = Path(value_of("--directory", arguments))
        build_image(Path(value_of("--output-directory", arguments)), tree)
        install_packages(Path(value_of("--cache-directory", arguments)), cache_key(tree))
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
    for suffix in ("raw", "manifest"):
        (output / f"claudineos_0.1.0.{suffix}").write_text((tree / "mkosi.conf").read_text())
    # A PE file without sections.
    (output / "claudineos_0.1.0.efi").write_bytes(b"MZ".ljust(0x3C, b"\0") + b"\x40".ljust(0x40, b"\0"))
    (output / "claudineos_0.1.0.roothash").write_text("ab" * 32)
    (output / "claudineos").symlink_to("claudineos_0.1.0.raw")


def cache_key(tree: Path) -> str:
    """What this image's trees of packages are named by: CacheKey=, without its specifiers."""
    lines = (tree / "mkosi.conf").read_text().splitlines()
    return next(line for line in lines if line.startswith("CacheKey=")).split()[0].split("~")[-1]


def install_packages(cache: Path, key: str) -> None:
    """Leave trees of installed packages as mkosi does: one package, and the index that it came from."""
    package = "Package: hello\nVersion: 2\nArchitecture: amd64\n"
    for image in ("main", "default-initrd"):
        database = cache / f"debian~forky~x86-64~{image}~{key}.cache/var/lib/dpkg"
        (database / "info").mkdir(parents=True, exist_ok=True)
        (database / "status").write_text(f"{package}Status: install ok installed\n")
        (database / "info/hello.list").write_text("/etc/hello\n")
    lists = cache / f"debian~forky~x86-64~main~{key}.metadata.cache/lib/apt/lists"
    lists.mkdir(parents=True, exist_ok=True)
    entry = f"Filename: pool/main/h/hello.deb\nSize: 7\nSHA256: {'ef' * 32}\n"
    (lists / "mirror_dists_forky_main_binary-amd64_Packages").write_text(package + entry)


if __name__ == "__main__":
    main(sys.argv[1:])
