#!/usr/bin/env python3
"""Stands in for mkosi on PATH: makes tiny artifacts at once, and misbehaves as FAKE_MKOSI says.

It installs tiny packages, in the newest version of its mirror, which FAKE_MIRROR_VERSION names, or from a local mirror;
and keeps trees and indices as mkosi does. Every call is appended to the file that FAKE_MKOSI_CALLS names.
"""

import hashlib
import os
import re
import sys
import time
from pathlib import Path

from tests.support.debian_package import index_entry, package_bytes, status_entry

ROOT, INITRD, TOOLS = ("base", "shell"), ("base",), ("linker",)


def main(arguments: list[str]) -> None:
    """Do what the builder expects of `mkosi ARGUMENTS`."""
    if "--version" in arguments:
        print(f"mkosi {os.environ.get('FAKE_MKOSI_VERSION', '27.9')}")
        return
    if "box" in arguments:
        command = arguments[arguments.index("--") + 1 :]
        os.execvp(command[0], command)
    with Path(os.environ["FAKE_MKOSI_CALLS"]).open("a") as calls:
        print(*arguments, file=calls)
    if "clean" in arguments:
        return
    if "--output-directory" in arguments:
        build_image(Path(value_of("--output-directory", arguments)), arguments)
    else:
        build_tools_tree(Path(value_of("--directory", arguments)), arguments)


def value_of(option: str, arguments: list[str]) -> str:
    return arguments[arguments.index(option) + 1]


def build_tools_tree(directory: Path, arguments: list[str]) -> None:
    programs = directory / "tree/usr/bin"
    programs.mkdir(parents=True)
    (programs / "systemd-repart").write_text("a program")
    install(arguments, {directory / "tree": TOOLS}, "tools")


def build_image(output: Path, arguments: list[str]) -> None:
    tree = Path(value_of("--directory", arguments))
    print("‣ [main] Installing Debian", flush=True)
    misbehaviour = os.environ.get("FAKE_MKOSI")
    match misbehaviour:
        case "unknown setting":
            print("‣ mkosi.conf: Unknown setting Speling", flush=True)
        case "no space":
            sys.exit("cp: error writing 'root': No space left on device")
        case "no network":
            sys.exit("E: Failed to fetch: Temporary failure resolving 'mirror'")
        case "hang":
            (output / "half.raw").touch()
            time.sleep(60)
    found = re.search(r"^CacheKey=.*~(\w+)$", (tree / "mkosi.conf").read_text(), re.MULTILINE)
    assert found
    cache, key = Path(value_of("--cache-directory", arguments)), found[1]
    trees: dict[Path, tuple[str, ...]] = {
        cache / f"debian~forky~x86-64~main~{key}.cache": INITRD if misbehaviour == "forget a package" else ROOT,
        cache / f"debian~forky~x86-64~default-initrd~{key}.cache": INITRD,
    }
    packages = install(arguments, trees, f"debian~forky~x86-64~main~{key}")
    text = (tree / "mkosi.conf").read_text() + packages
    for suffix in ("raw", "manifest"):
        (output / f"claudineos_0.1.0.{suffix}").write_text(text)
    # A PE file without sections.
    kernel = b"MZ".ljust(0x3C, b"\0") + b"\x40".ljust(0x44, b"\0")
    (output / "claudineos_0.1.0.efi").write_bytes(kernel + text.encode())
    (output / "claudineos_0.1.0.roothash").write_text("ab" * 32)
    (output / "claudineos").symlink_to("claudineos_0.1.0.raw")


def install(arguments: list[str], trees: dict[Path, tuple[str, ...]], name: str) -> str:
    """Install packages of these names into trees, and keep the index that they came from."""
    address, index = local_index(arguments) if "--local-mirror" in arguments else mirror_index(arguments)
    lists = Path(value_of("--cache-directory", arguments)) / f"{name}.metadata.cache/lib/apt/lists"
    lists.mkdir(parents=True, exist_ok=True)
    low_lined = re.sub("^[a-z]+://", "", address).replace("/", "_")
    (lists / f"{low_lined}_dists_forky_main_binary-amd64_Packages").write_text(index)
    known = dict(re.findall(r"^Package: (.+)\n(?:.+\n)*?Version: (.+)$", index, re.MULTILINE))
    for tree, names in trees.items():
        (tree / "var/lib/dpkg/info").mkdir(parents=True, exist_ok=True)
        for one in names:
            (tree / f"var/lib/dpkg/info/{one}.list").write_text(f"/etc/{one}\n")
            digest = hashlib.md5(f"{one}\n".encode(), usedforsecurity=False).hexdigest()
            (tree / f"var/lib/dpkg/info/{one}.md5sums").write_text(f"{digest}  etc/{one}\n")
        entries = [status_entry(one, known[one]) for one in names]
        (tree / "var/lib/dpkg/status").write_text("\n".join(entries))
    return "".join(f"{one} {known[one]}\n" for one in sorted(set().union(*trees.values())))


def mirror_index(arguments: list[str]) -> tuple[str, str]:
    """Download the newest packages, and all names that there are."""
    version = os.environ.get("FAKE_MIRROR_VERSION", "1:1.0")
    archives = Path(value_of("--package-cache-directory", arguments)) / "cache/apt/archives"
    archives.mkdir(parents=True, exist_ok=True)
    names = sorted({*ROOT, *INITRD, *TOOLS})
    for name in names:
        (archives / f"{name}_{version.replace(':', '%3a')}_amd64.deb").write_bytes(package_bytes(name, version))
    sources = Path(value_of("--sandbox-tree", arguments)) / "etc/apt/sources.list.d/mkosi.sources"
    address = re.search("^URIs: (.+)$", sources.read_text(), re.MULTILINE)
    assert address
    lines = [index_entry(name, version) for name in names]
    return os.environ.get("FAKE_MIRROR_ADDRESS", address[1]), "\n".join(lines)


def local_index(arguments: list[str]) -> tuple[str, str]:
    address = value_of("--local-mirror", arguments)
    directory = Path(address.removeprefix("file://"))
    return address, (directory / "dists/forky/main/binary-amd64/Packages").read_text()


if __name__ == "__main__":
    main(sys.argv[1:])
