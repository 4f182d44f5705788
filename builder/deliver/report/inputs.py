"""What the page is made of: files that builds, tests and checks have left, each of which may be missing.

Only what the page shows is read, and everything is checked for its type. A file that is there and is not what its name
says is a BuilderError: a page that leaves it out would look like one of an image that never had it.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from builder.deliver.report.pictures import Picture, read_pictures
from builder.errors import BuilderError
from builder.image.artifacts import RECORD, OwnerCertificate
from builder.sbom import SUFFIX, LicenceUse, list_licences, read_sbom
from builder.suite.report import PICTURES
from builder.verify import Evidence
from builder.verify.disk import open_disk
from builder.verify.formats.gpt import Partition
from builder.verify.formats.malformed import MalformedError
from builder.verify.unpack import COMPRESSED, unpacked

Read = TypeVar("Read")


@dataclass(frozen=True)
class Missing:
    """What a section would need, in a sentence, and the command that makes it ("" where none does)."""

    what: str
    command: str = ""


class ModelRecord(BaseModel):
    """The model that was built into the image; `licence` is an SPDX id."""

    id: str
    licence: str = ""


class Record(BaseModel):
    """What a build says of itself (`builder.image.artifacts`), as far as the page shows it, of older versions too."""

    profile: str
    version: str
    image: str
    root_hash: str
    source_date: str
    model: ModelRecord
    certificates: dict[str, OwnerCertificate]
    throwaway_keys: bool
    tools: dict[str, str]
    files: dict[str, str] = {}


class Package(BaseModel):
    """A Debian package; `size` is in bytes, installed."""

    name: str
    version: str
    architecture: str
    size: int


class Manifest(BaseModel):
    """What mkosi lists of an image."""

    packages: list[Package]


class Setting(BaseModel):
    """A line of `systemd-analyze security`; `set` is None where it does not apply to the unit."""

    set: bool | None
    name: str


class UnitTime(BaseModel):
    """A service: when it was started, after the kernel was, and how long it took to come up."""

    name: str
    start_s: float
    seconds: float


class BootTimes(BaseModel):
    """The parts of one boot in seconds, and the services that took longest (`builder.vm.boot_times`)."""

    firmware_and_loader: float
    kernel: float
    initrd: float
    userspace: float
    units: list[UnitTime]


class Notes(BaseModel):
    """What the tests measured."""

    unit_security: dict[str, list[Setting]] = {}
    first_boot: BootTimes | None = None
    restart: BootTimes | None = None


class Check(BaseModel):
    """A check that ran (`builder.suite.report`). Reports of older versions have no topics."""

    topic: str = ""
    name: str
    outcome: str
    message: str


class TestRun(BaseModel):
    """A run of `claudineos test`."""

    image: str
    image_sha256: str
    accelerator: str
    started: datetime
    seconds: float
    finished: bool
    checks: list[Check]
    notes: Notes

    # pytest takes classes of this name for tests.
    __test__ = False


@dataclass(frozen=True)
class Inputs:
    """Everything that a page is made of. The partitions are those of the image itself, not what a file says of it."""

    evidence: Evidence
    partitions: tuple[Partition, ...] | Missing
    record: Record | Missing
    manifest: Manifest | Missing
    licences: tuple[LicenceUse, ...] | Missing
    tests: TestRun | Missing
    pictures: tuple[Picture, ...]


def read_inputs(image: Path, evidence: Evidence, artifacts: Path, test_report: Path) -> Inputs:
    """Read what a build left in `artifacts`, and the report of its tests with the pictures beside that.

    BuilderError if one of the files is something else, or if the evidence is of another image.
    """
    partitions = _partitions(image, evidence)
    record = _read(Record, artifacts / RECORD, "the record of a build", "claudineos build")
    # Whoever wrote the record does not choose which file is read.
    name = Path(evidence.image if isinstance(record, Missing) else record.image).name
    label = name.removesuffix(".raw")
    tests = _tests(record, test_report)
    return Inputs(
        evidence,
        partitions,
        record,
        _read(Manifest, artifacts / f"{label}.manifest", "mkosi's list of packages", "claudineos build"),
        _licences(artifacts / f"{label}{SUFFIX}"),
        tests,
        () if isinstance(tests, Missing) else read_pictures(test_report.with_name(PICTURES)),
    )


def _partitions(image: Path, evidence: Evidence) -> tuple[Partition, ...] | Missing:
    raw = unpacked(image) if image.suffix == COMPRESSED else nullcontext(image)
    with raw as path, open_disk(path) as disk:
        if (evidence.image, evidence.size_bytes) != (image.name.removesuffix(COMPRESSED), disk.size_bytes):
            raise BuilderError(
                f"the evidence is of {evidence.image}, {evidence.size_bytes:,} bytes, and not of {image}",
                hint=f"Leave --evidence out, or make it with: claudineos verify {image} --evidence evidence.json",
            )
        try:
            return disk.table.partitions
        except MalformedError as error:
            return Missing(f"The image has no partition table that can be read: {error.what}.")


def _licences(path: Path) -> tuple[LicenceUse, ...] | Missing:
    if not path.is_file():
        return Missing(f"There is no {path.name}, the account of what is inside.", "claudineos build")
    return list_licences(read_sbom(path))


def _tests(record: Record | Missing, report: Path) -> TestRun | Missing:
    """Read the report of the tests; that of another image is as good as none."""
    command = "claudineos test" if isinstance(record, Missing) else f"claudineos test {record.image}"
    tests = _read(TestRun, report, "a report of claudineos test", command)
    if isinstance(record, Missing) or isinstance(tests, Missing):
        return tests
    if tests.image_sha256 != record.files.get(record.image):
        return Missing("The report of the tests is that of another build.", command)
    return tests


def _read(kind: type[Read], path: Path, what: str, command: str) -> Read | Missing:
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except FileNotFoundError:
        return Missing(f"There is no {path.name}, {what}.", command)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise BuilderError(
            f"{path} is not {what}: {place}: {first['msg']}", hint=f"Make it again: {command}"
        ) from error
    except OSError as error:
        raise BuilderError(f"{path} cannot be read: {error.strerror}", hint="Look at its permissions") from error
