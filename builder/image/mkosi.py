"""One run of mkosi: the arguments that belong to this host, progress by step, and its complaints."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage

from builder import log
from builder.errors import ToolError
from builder.image.inputs import BuildInputs
from builder.image.place import emptied, locked
from builder.packages import PackageTrees
from builder.run import run_logged
from builder.toolchain.cache import packages_directory

ENROLMENT = "/efi/loader/keys/auto"

# mkosi marks each step with this; a run inside the image's own step is nested.
_STEP = re.compile(r"‣ +(?:\[(?P<image>[\w.-]+)\] +)?(?P<title>.+)")

# What the tools below mkosi say when the host is to blame, and what to do about it.
_REMEDIES = {
    "No space left on device": "The disk is full: free some 4 GB where the build and its cache are",
    "Temporary failure resolving": "There is no network, or no name resolution; packages come from a Debian mirror",
    "Could not connect to": "The Debian mirror cannot be reached; check the network and its address",
    "Unable to locate package": "A package in the profile or an overlay does not exist in this release, or in the lock",
    "does not have a Release file": "The address in `distribution:` is no Debian archive with this release or snapshot",
    "not signed": "The mirror's package lists are not signed by Debian; nothing was installed",
}


def run_mkosi(
    tree: Path,
    output: Path,
    log_file: Path,
    inputs: BuildInputs,
    *,
    extra_trees: Sequence[str] = (),
    refresh: bool = False,
) -> None:
    """Build the tree's image into the empty directory `output`.

    `extra_trees` are files of this host, each with its path in the image: SOURCE:TARGET. With `refresh`, the tree of
    installed packages is made anew, from the newest packages. Raises ToolError with the way out, when there is a known
    one; the whole output is in `log_file`.
    """
    profile, keys, toolchain = inputs.profile, inputs.keys, inputs.toolchain
    cache = package_trees(inputs).directory
    cache.mkdir(parents=True, exist_ok=True)
    # One mkosi at a time may work in a cache of installed package trees.
    with locked(cache / "lock"), emptied(_scratch(cache)) as scratch:
        arguments = [
            *("--directory", str(tree)),
            *("--output-directory", str(output)),
            *("--tools-tree", str(toolchain.tools_tree)),
            *("--cache-directory", str(cache)),
            *("--workspace-directory", str(scratch)),
            *("--package-cache-directory", str(packages_directory(toolchain.cache))),
            *inputs.source.arguments(scratch / "sandbox", profile.distribution.release, inputs.plan.components),
            *(part for extra in extra_trees for part in ("--extra-tree", extra)),
            *(
                part
                for name, update in keys.updates(microsoft=profile.boot.microsoft_certificates).items()
                for part in ("--extra-tree", f"{update}:{ENROLMENT}/{name}")
            ),
            *("--secure-boot-key", str(keys.db.key)),
            *("--secure-boot-certificate", str(keys.db.certificate.path)),
            *("--verity-key", str(keys.verity.key)),
            *("--verity-certificate", str(keys.verity.certificate.path)),
            *("--sign-expected-pcr-key", str(keys.pcr.key)),
            *("--sign-expected-pcr-certificate", str(keys.pcr.certificate.path)),
            *(_show_pcr_key(keys.shown_pcr_key, scratch) if keys.shown_pcr_key else ()),
            # Twice: throw the tree of installed packages away, and look for newer ones.
            *(("-f", "-f") if refresh else ()),
        ]
        reader = _Reader()
        try:
            run_logged(toolchain.mkosi.command(*arguments, "build"), log_file, on_line=reader)
        except ToolError as error:
            raise reader.explain(error) from error


def package_trees(inputs: BuildInputs) -> PackageTrees:
    """Say where the trees of installed packages are that the image is made from: apart for each pinned source."""
    profile = inputs.profile
    cache = inputs.toolchain.cache / "images" / inputs.source.name
    return PackageTrees(cache, profile.distribution.release, profile.hardware.architecture, inputs.plan.cache_key)


def _show_pcr_key(public_key: str, scratch: Path) -> tuple[str, str]:
    """Have ukify put this public key into the kernel image, and not that of the key it signs with (ukify(1), PCRPKey=).

    mkosi passes no such option on, so it is a settings file in the tree that mkosi lays over its sandbox.
    """
    tree = scratch / "shown-pcr-key"
    settings = tree / "etc/systemd"
    settings.mkdir(parents=True)
    (settings / "pcr-public-key.pem").write_text(public_key)
    (settings / "ukify.conf").write_text("[UKI]\nPCRPKey=/etc/systemd/pcr-public-key.pem\n")
    return ("--sandbox-tree", str(tree))


# The trees of image and initrd, and the image in the making: measured 1 GB.
_SCRATCH_BYTES = 4_000_000_000
_SHARED_MEMORY = Path("/dev/shm")


def _scratch(cache: Path) -> Path:
    """Choose the directory that mkosi works in: in memory where there is plenty, since copying trees of small files
    takes a third of the build on a disk, and next to nothing there. One cache has one name, always the same.
    """
    in_memory = _SHARED_MEMORY.is_dir() and min(_free_memory(), disk_usage(_SHARED_MEMORY).free) > 2 * _SCRATCH_BYTES
    name = f"claudineos-{hashlib.sha256(bytes(cache)).hexdigest()[:16]}"
    return (_SHARED_MEMORY if in_memory else cache) / name


def _free_memory() -> int:
    """Bytes that are available without swapping (proc_meminfo(5))."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


class _Reader:
    """Follows mkosi's output: shows its steps, and remembers what would explain a failure."""

    def __init__(self) -> None:
        self._remedy = ""

    def __call__(self, line: str) -> None:
        if "Unknown setting" in line:
            raise ToolError(f"this mkosi does not know a setting of the rendered tree: {line.strip()}")
        if (step := _STEP.match(line)) and "falling back to copying" not in line:
            image = step["image"]
            log.info(f"{step['title']}" if image in (None, "main") else f"{image}: {step['title']}")
        for sign, remedy in _REMEDIES.items():
            if sign in line:
                self._remedy = f"{remedy}\n  {line.strip()}"

    def explain(self, error: ToolError) -> ToolError:
        """Say the known remedy in place of mkosi's last lines."""
        return ToolError(f"mkosi failed. {self._remedy}", hint=error.hint) if self._remedy else error
