"""What a build leaves behind, and its record: `build.json` and `SHA256SUMS`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from builder.errors import BuilderError
from builder.fetch import file_sha256

RECORD = "build.json"
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Partition:
    """An entry of the image's partition table; `offset_bytes` is from the start of the disk."""

    label: str
    type: str
    uuid: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class OwnerCertificate:
    """A public certificate of the owner: `sha256` is the DER's digest, 64 hex digits."""

    sha256: str
    pem: str


@dataclass(frozen=True)
class Artifacts:
    """The record of a build. File names are relative to the directory that `build.json` is in."""

    profile: str
    version: str
    image: str
    uki: str
    manifest: str
    sbom: str
    root_hash: str
    # The kernel's arguments for each way to start the image (by the id of the signed kernel image's profile), without
    # the root hash; and the boot loader's settings.
    command_lines: dict[str, list[str]]
    boot_menu: str
    # What the build depended on: equal inputs give equal images.
    inputs_digest: str
    profile_digest: str
    source_date: str
    # The model image in it: `root_hash`, `sha256` and `size_bytes` are the image's, `weights_sha256` its weights'.
    model: dict[str, str | int]
    # By the role of the key (`builder.keys.Role`), so that whoever has the image can look for the signer.
    certificates: dict[str, OwnerCertificate]
    throwaway_keys: bool
    tools: dict[str, str]
    partitions: tuple[Partition, ...]
    timings_s: dict[str, float]
    # The SHA-256 of every artifact, by its name. This record has its own time of building, so no sum.
    files: dict[str, str]
    # The SHA-256 of each file of the rendered tree, by its path, to say what is different when `profile_digest` is.
    rendered: dict[str, str]

    @classmethod
    def read(cls, out: Path) -> "Artifacts":
        """Read the record of a build; raises BuilderError when there is none or it is not one of ours."""
        path = out / RECORD
        try:
            data = json.loads(path.read_text())
            partitions = tuple(Partition(**partition) for partition in data.pop("partitions"))
            certificates = {role: OwnerCertificate(**one) for role, one in data.pop("certificates").items()}
            return cls(**data, partitions=partitions, certificates=certificates)
        except FileNotFoundError:
            hint = "Build an image first: claudineos build"
            raise BuilderError(f"there is no finished build in {out}", hint=hint) from None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            hint = f"Remove {out} and build again"
            raise BuilderError(f"{path} is not the record of a build: {error}", hint=hint) from error

    def with_file(self, path: Path) -> "Artifacts":
        """Return the record with one more artifact."""
        return replace(self, files=dict(sorted({**self.files, path.name: file_sha256(path)}.items())))

    def write(self, out: Path) -> None:
        """Write the record, and the same sums for sha256sum(1)."""
        (out / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in self.files.items()))
        (out / RECORD).write_text(json.dumps(asdict(self), indent=2) + "\n")


def file_digests(out: Path) -> dict[str, str]:
    """Return the SHA-256 of every artifact in `out`, by its name, sorted."""
    names = sorted(path.name for path in out.iterdir() if path.name not in (RECORD, SUMS))
    return {name: file_sha256(out / name) for name in names}


def files_unchanged(out: Path, files: Mapping[str, str]) -> bool:
    """Say whether all artifacts are there and unchanged."""
    try:
        return bool(files) and all(file_sha256(out / name) == digest for name, digest in files.items())
    except OSError:
        return False
