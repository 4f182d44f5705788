"""The initrd's files are read whatever archives it is joined of."""

import pytest

from builder.compare.cpio import read_initrd
from builder.verify.formats.malformed import MalformedError
from tests.support.initrd import archive, compressed

INIT = {"init": (0o100755, b"#!/bin/sh\n")}
MODULE = {"usr/lib/modules": (0o040755, b""), "usr/lib/modules/dm.ko": (0o100644, b"ELF")}


@pytest.mark.parametrize(
    "initrd",
    [
        archive(INIT | MODULE),
        archive(INIT) + archive(MODULE),
        archive(INIT) + bytes(516) + archive(MODULE),
        compressed(archive(INIT)) + compressed(archive(MODULE)),
        archive(INIT) + compressed(archive(MODULE)) + bytes(3),
    ],
)
def test_files_come_out_of_all_archives(initrd: bytes) -> None:
    found = {entry.path: (entry.mode, entry.data) for entry in read_initrd(initrd)}
    assert found == {f"/{path}": value for path, value in (INIT | MODULE).items()}


@pytest.mark.parametrize(
    ("initrd", "complaint"),
    [
        (b"neither", "neither a cpio"),
        (archive(INIT)[:-130], "cut short|without a header"),
        (archive(INIT).replace(b"070701", b"07070x", 1), "neither a cpio"),
        (compressed(archive(INIT))[:-5], "cut short"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 40, "zstd"),
        # An archive that unpacks to an archive that unpacks …
        (compressed(compressed(archive(INIT))), "neither a cpio"),
        (compressed(bytes(1100 << 20)), "more than"),
        (archive({"x": (0o100644, b"y")}).replace(b"00000001" + b"0" * 32, b"ffffffff" + b"0" * 32, 1), "cut short"),
    ],
)
def test_what_is_no_initrd_is_refused(initrd: bytes, complaint: str) -> None:
    with pytest.raises(MalformedError, match=complaint):
        list(read_initrd(initrd))
