"""Build an image again from what was published with it, and compare.

    reproduction = reproduce(Path("build/qemu/out/claudineos_0.1.0.raw"), work, keys=None)

It is built at another path, by one processor, and with nothing that an earlier build has left but downloads, each known
by its hash, and the tools, which the lock names. What was published is `build.json`, the lock, and the image.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import log
from builder.compare.builds import Builds, compare_builds
from builder.errors import BuilderError
from builder.fetch import cache_directory
from builder.image import Artifacts, BuildLayout, build_image
from builder.image.mkosi import ENROLMENT
from builder.image.place import emptied, locked
from builder.keys import KeySet, Role, create_stand_ins, enrolment_files
from builder.lock import load_lock
from builder.profile import ResolvedProfile, load_profile
from builder.profile.catalogue import SUFFIX
from builder.render import OVERLAYS_DIR, render
from builder.verify.disk import open_disk
from builder.verify.formats.fat import read_volume
from builder.verify.formats.malformed import MalformedError
from builder.verify.layout import ESP

# Of the cache, what is known by its hash or, for the tools, compared with the lock.
_KEPT = ("files", "packages", "tools", "mkosi-*")
# The ESP holds what lies in the image's /efi.
_ENROLMENT_ON_ESP = ENROLMENT.removeprefix("/efi/")


@dataclass(frozen=True)
class Reproduction:
    """`rebuilt` is the directory with the artifacts of the second build, kept for a closer look."""

    builds: Builds
    rebuilt: Path


def reproduce(image: Path, work: Path, keys: KeySet | None, profile: str | None = None) -> Reproduction:
    """Rebuild `image` below `work`, with the owner's keys or with others in their stead.

    `profile` is needed when it is not one of this repository. BuilderError if there is no evidence beside the image, if
    this repository renders something else than the image was built from, or if the keys are not the image's.
    """
    out = image.parent
    record = Artifacts.read(out)
    if record.image != image.name:
        raise BuilderError(f"the build.json beside {image.name} is that of {record.image}", hint="Name that image")
    lock = load_lock(image.with_suffix(".lock"))
    resolved = load_profile(profile or _profile_name(record))
    _check_rendered(resolved, record)
    if keys:
        _check_keys(keys, record)
    work.mkdir(parents=True, exist_ok=True)
    layout = BuildLayout(work, resolved.profile.name)
    with locked(work / "lock"), emptied(work / "keys") as stand_ins, _scratch(work) as cache:
        used = keys or _stand_ins(stand_ins, image, record, microsoft=resolved.profile.boot.microsoft_certificates)
        shutil.rmtree(layout.directory, ignore_errors=True)
        with log.step("Building it again"), _elsewhere(cache), _one_processor():
            rebuilt = build_image(resolved, used, layout, lock=lock)
        with log.step("Comparing"):
            names = {record.image, *record.files, *rebuilt.files}
            return Reproduction(compare_builds(out, layout.out, names, signatures=keys is not None), layout.out)


def _profile_name(record: Artifacts) -> str:
    """Take the name from the record, which others may have written; it must not lead anywhere else."""
    if "/" in record.profile or record.profile.endswith(SUFFIX):
        raise BuilderError(f"the record names {record.profile!r} as its profile", hint="Name the profile: --profile")
    return record.profile


def _check_rendered(resolved: ResolvedProfile, record: Artifacts) -> None:
    """Compare the rendered tree with the one that the image was built from, file by file."""
    found = render(resolved, OVERLAYS_DIR)
    if found.digest == record.profile_digest:
        return
    was, now = record.rendered, found.digests
    lines = [f"  {path}: {_state(path, was, now)}" for path in sorted({*was, *now}) if was.get(path) != now.get(path)]
    raise BuilderError(
        "this repository renders something else than the image was built from:\n" + "\n".join(lines),
        hint="Check out the revision that built the image, or name the profile that it was built from: --profile",
    )


def _state(path: str, was: Mapping[str, str], now: Mapping[str, str]) -> str:
    if path not in now:
        return "only in the image's"
    return "differs" if path in was else "only here"


def _check_keys(keys: KeySet, record: Artifacts) -> None:
    for pair in keys.pairs:
        published = record.certificates.get(str(pair.role))
        if published is None or published.sha256 != pair.certificate.sha256:
            raise BuilderError(
                f"the key {pair.role} in {keys.directory} is not the one that signed the image",
                hint="Name the image owner's keys, or none to leave the signatures out",
            )


def _stand_ins(directory: Path, image: Path, record: Artifacts, *, microsoft: bool) -> KeySet:
    """Make keys in the stead of the owner's, with the files from the image that enrol the firmware."""
    try:
        with open_disk(image) as disk:
            esp = disk.part(disk.partition(ESP))
            files = read_volume(esp.read, esp.size_bytes).files
            names = enrolment_files(microsoft=microsoft)
            enrolled = {names[name]: files[f"{_ENROLMENT_ON_ESP}/{name}"] for name in names}
            updates = {name: file.read(0, file.size_bytes) for name, file in enrolled.items()}
        certificates = {role: record.certificates[str(role)].pem for role in Role}
    except (MalformedError, KeyError) as error:
        raise BuilderError(
            f"the owner's certificates and the files that enrol them cannot be found: {error}",
            hint="Take the image and all that was published with it from the same place",
        ) from error
    return create_stand_ins(directory, certificates, updates)


@contextmanager
def _scratch(work: Path) -> Iterator[Path]:
    """Make a directory of a new name, and take it away again.

    Without root, mkosi's trees in it belong to other user ids, and stay; so its name must not be needed again.
    """
    directory = Path(tempfile.mkdtemp(prefix="cache-", dir=work))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        if directory.exists():
            log.warning(f"{directory} cannot be removed whole; root can")


@contextmanager
def _elsewhere(cache: Path) -> Iterator[None]:
    """Work with another cache, which has the downloads and tools of the usual one and nothing that was built."""
    usual = cache_directory()
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(cache)
    try:
        other = cache_directory()
        for pattern in _KEPT:
            for path in usual.glob(pattern):
                (other / path.name).symlink_to(path)
        yield
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before


@contextmanager
def _one_processor() -> Iterator[None]:
    """Let one processor do all the work; a build that depends on how many there are then gives something else."""
    usual = os.sched_getaffinity(0)
    if len(usual) == 1:
        log.warning("this machine has one processor, so the number of jobs is what it is in each build here")
    os.sched_setaffinity(0, {min(usual)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)
