"""From a profile and keys to finished artifacts, or to nothing.

Everything is made in a hidden directory beside `out` and renamed into place when it is whole; an interrupted build
leaves the previous artifacts as they were. A build whose inputs have not changed is not done again.
"""

import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from builder import log
from builder.errors import BuilderError, ToolError
from builder.image.absence import ABSENCE, bill_of_absence
from builder.image.artifacts import Artifacts, OwnerCertificate, Partition, file_digests, files_unchanged
from builder.image.inputs import BuildInputs
from builder.image.mkosi import run_mkosi
from builder.image.model_partition import add_model_partition
from builder.image.place import emptied, locked
from builder.image.sbom import image_sbom
from builder.image.used import used_packages
from builder.keys import KeySet
from builder.lock import Lock, LockedProfile, open_locked_toolchain, refuse_differences, subject_differences
from builder.model import ModelImage, build_model_image
from builder.packages import ChosenArchive
from builder.profile.load import ResolvedProfile
from builder.render import OVERLAYS_DIR, render, write_plan
from builder.render.overlay import load_overlays
from builder.run import run
from builder.sbom import SUFFIX
from builder.toolchain import Archive, Toolchain, check_room, open_toolchain

# The programs whose versions shape an image's bytes.
_RECORDED_TOOLS = (
    "dosfstools",
    "erofs-utils",
    "kmod",
    "mtools",
    "openssl",
    "sbsigntool",
    "systemd-repart",
    "systemd-ukify",
)


# The tree of installed packages, the image in the making, and the finished one, without the model: measured 2.4 GB.
_NEEDED_BYTES = 4_000_000_000


@dataclass(frozen=True)
class BuildLayout:
    """Where a profile's build happens: `root` is by default `build/` where the command runs."""

    root: Path
    profile: str

    @property
    def directory(self) -> Path:
        """Everything of this profile."""
        return self.root / self.profile

    @property
    def tree(self) -> Path:
        """The rendered mkosi tree."""
        return self.directory / "mkosi"

    @property
    def out(self) -> Path:
        """The finished artifacts."""
        return self.directory / "out"

    @property
    def log_file(self) -> Path:
        """All that mkosi wrote in the last build."""
        return self.directory / "mkosi.log"

    @property
    def throwaway_keys(self) -> Path:
        """The key set that a build without `--keys` signs with."""
        return self.root / "throwaway-keys"


def build_image(
    resolved: ResolvedProfile, keys: KeySet, layout: BuildLayout, *, refresh: bool = False, lock: Lock | None = None
) -> Artifacts:
    """Build the image of a profile, or return the artifacts of the last build if nothing has changed since.

    With `refresh`, newer packages are looked for and everything is built again. With `lock`, exactly what it names is
    used, and a BuilderError lists what is not as it was locked.
    """
    inputs = _inputs(resolved, keys, lock)
    if not refresh and (unchanged := _unchanged(layout.out, inputs)):
        log.info(f"Nothing changed; {layout.out / unchanged.image} is up to date")
        return unchanged
    layout.directory.mkdir(parents=True, exist_ok=True)
    for place in (layout.directory, inputs.toolchain.cache):
        check_room(place, _NEEDED_BYTES + resolved.model.model.weights.size_bytes)
    with locked(layout.directory / "lock"), emptied(layout.directory / ".new") as scratch:
        write_plan(inputs.plan, layout.tree)
        model_image = build_model_image(resolved.model, keys, inputs.toolchain)
        staging = scratch / "out"
        staging.mkdir()
        layout.log_file.unlink(missing_ok=True)
        started = time.monotonic()
        with log.step(f"Building {resolved.profile.image.label} (log: {layout.log_file})"):
            run_mkosi(layout.tree, staging, layout.log_file, inputs, refresh=refresh)
            used = used_packages(inputs)
            add_model_partition(staging / f"{resolved.profile.image.label}.raw", model_image, layout.tree, inputs)
        mkosi_s = time.monotonic() - started
        artifacts = _record(staging, inputs, model_image, used, mkosi_s, scratch)
        if layout.out.exists():
            layout.out.rename(scratch / "old")
        staging.rename(layout.out)
    return artifacts


def lock_image(resolved: ResolvedProfile, keys: KeySet, layout: BuildLayout, *, refresh: bool = False) -> Lock:
    """Return the lock of what a build of this profile uses; no artifacts are made.

    Packages that no build has installed yet, or all of them with `refresh`, are installed for it. The keys decide
    nothing here, but mkosi wants some.
    """
    inputs = _inputs(resolved, keys, None)
    if not refresh:
        with suppress(ToolError):
            return used_packages(inputs)
    layout.directory.mkdir(parents=True, exist_ok=True)
    check_room(inputs.toolchain.cache, _NEEDED_BYTES)
    with locked(layout.directory / "lock"), emptied(layout.directory / ".new") as scratch:
        write_plan(inputs.plan, layout.tree)
        with log.step(f"Installing the packages of {resolved.profile.image.label} (log: {layout.log_file})"):
            run_mkosi(layout.tree, scratch, layout.log_file, inputs, refresh=refresh)
        return used_packages(inputs)


def _inputs(resolved: ResolvedProfile, keys: KeySet, lock: Lock | None) -> BuildInputs:
    distribution = resolved.profile.distribution
    plan = render(resolved, OVERLAYS_DIR)
    absence = bill_of_absence(resolved.profile.image.label, load_overlays(resolved, OVERLAYS_DIR))
    origin = Archive(distribution.mirror, distribution.snapshot)
    if lock is None:
        return BuildInputs(resolved, plan, absence, keys, origin, open_toolchain(origin))
    refuse_differences(subject_differences(lock.subject, LockedProfile.of(resolved)))
    toolchain = open_locked_toolchain(lock, origin)
    source = ChosenArchive(lock.image, distribution.release, origin, toolchain.cache)
    return BuildInputs(resolved, plan, absence, keys, source, toolchain, lock)


def _record(
    staging: Path, inputs: BuildInputs, model_image: ModelImage, used: Lock, mkosi_s: float, scratch: Path
) -> Artifacts:
    """Clean up what mkosi made, and write the account, the record and the sums beside it."""
    profile = inputs.profile
    label = profile.image.label
    _keep_artifacts(staging, label)
    (staging / ABSENCE).write_text(inputs.absence)
    used.write(staging / f"{label}.lock")
    artifacts = Artifacts(
        profile=profile.name,
        version=profile.image.version,
        image=f"{label}.raw",
        uki=f"{label}.efi",
        manifest=f"{label}.manifest",
        sbom=f"{label}{SUFFIX}",
        root_hash=(staging / f"{label}.roothash").read_text().strip(),
        command_lines={name: list(line) for name, line in inputs.plan.command_lines.items()},
        boot_menu=inputs.plan.boot_menu,
        inputs_digest=inputs.digest,
        profile_digest=inputs.plan.digest,
        source_date=profile.image.source_date.isoformat(),
        model=_model_record(inputs, model_image),
        certificates=_certificates(inputs),
        throwaway_keys=inputs.keys.throwaway,
        tools=_tool_versions(inputs.toolchain),
        partitions=_partitions(staging / f"{label}.raw", inputs.toolchain),
        timings_s={"mkosi": round(mkosi_s, 1)},
        files=file_digests(staging),
        rendered=inputs.plan.digests,
    )
    (staging / artifacts.sbom).write_text(image_sbom(staging, artifacts, inputs, model_image, scratch))
    artifacts = artifacts.with_file(staging / artifacts.sbom)
    artifacts.write(staging)
    return artifacts


def _certificates(inputs: BuildInputs) -> dict[str, OwnerCertificate]:
    return {
        str(pair.role): OwnerCertificate(pair.certificate.sha256, pair.certificate.pem) for pair in inputs.keys.pairs
    }


def _model_record(inputs: BuildInputs, image: ModelImage) -> dict[str, str | int]:
    model = inputs.resolved.model.model
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "licence": model.licence.id,
        "weights_sha256": model.weights.sha256,
        "root_hash": image.root_hash,
        "sha256": image.sha256,
        "size_bytes": image.size_bytes,
    }


def _unchanged(out: Path, inputs: BuildInputs) -> Artifacts | None:
    try:
        artifacts = Artifacts.read(out)
    except BuilderError:
        return None
    same = artifacts.inputs_digest == inputs.digest and files_unchanged(out, artifacts.files)
    return artifacts if same else None


def _keep_artifacts(staging: Path, label: str) -> None:
    """Take away what mkosi leaves beside the artifacts: links without a version, and its history."""
    kept = {f"{label}.{suffix}" for suffix in ("raw", "efi", "roothash", "manifest")}
    for path in staging.iterdir():
        if path.name not in kept:
            path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)


def _partitions(image: Path, toolchain: Toolchain) -> tuple[Partition, ...]:
    table = json.loads(run(toolchain.box(["sfdisk", "--json", str(image)])).stdout)["partitiontable"]
    sector = table["sectorsize"]
    return tuple(
        Partition(entry["name"], entry["type"], entry["uuid"], entry["start"] * sector, entry["size"] * sector)
        for entry in table["partitions"]
    )


def _tool_versions(toolchain: Toolchain) -> dict[str, str]:
    database = toolchain.tools_tree / "var/lib/dpkg"
    query = ["dpkg-query", f"--admindir={database}", "-W", "-f", "${Package} ${Version}\\n", *_RECORDED_TOOLS]
    installed = (line.split(" ") for line in run(query, check=False).stdout.splitlines())
    return {"mkosi": toolchain.mkosi.version, **dict(installed)}
