"""Other ways to start the image: profiles of its signed kernel image, which the boot loader lists as entries.

A profile shares kernel, initrd and everything else with the usual start, and has a command line of its own
(UAPI.5, "Multi-Profile UKIs"). It is signed as a part of the whole. Its expected PCR 11 is not: the TPM gives the key
of /var to the usual start only, whatever an entry goes on to do.
"""

from collections.abc import Iterator

from builder.render.configuration import Item, Line, Setting, lines, several, single
from builder.render.overlay import Overlay

# mkosi takes every file in it for a profile.
DIRECTORY = "mkosi.uki-profiles"
# What mkosi calls the usual start.
MAIN = "main"


def boot_entries(overlays: tuple[Overlay, ...]) -> dict[str, list[Line]]:
    """Return the profiles' configuration files by name."""
    return {f"{name}.conf": text for overlay in overlays for name, text in _entries(overlay)}


def command_lines(usual: Setting, overlays: tuple[Overlay, ...]) -> dict[str, tuple[str, ...]]:
    """Return the arguments for each way to start the image, by its id; `usual` are those of the usual start."""
    arguments = tuple(item.text for item in usual.items)
    entries = {
        name: (*arguments, *entry.kernel_arguments)
        for overlay in overlays
        for name, entry in overlay.description.boot_entries.items()
    }
    return {MAIN: arguments, **entries}


def _entries(overlay: Overlay) -> Iterator[tuple[str, list[Line]]]:
    locate = overlay.document.locate_key
    for name, entry in overlay.description.boot_entries.items():
        place = ("boot_entries", name)
        arguments = [
            Item(argument, reason, locate((*place, "kernel_arguments", argument)))
            for argument, reason in entry.kernel_arguments.items()
        ]
        settings = [
            several(
                "Profile",
                [
                    Item(f"ID={name}", origin=locate(place)),
                    Item(f"TITLE={entry.title}", origin=locate((*place, "title"))),
                ],
            ),
            several("Cmdline", arguments, "Behind the arguments of the usual start."),
            single("SignExpectedPcr", "no", "The TPM does not open /var for it."),
        ]
        yield name, lines(f"Another way to start the image: {entry.title}.", {"UKIProfile": settings})
