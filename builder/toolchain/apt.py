"""Where Debian packages come from: the host's own mirror, unless a profile names another.

No mirror is written into this program. apt knows which one this machine uses, and its signature check stands between
that mirror and us. A build that is held to chosen packages has another source: `builder.packages.ChosenArchive`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from builder.errors import ToolError
from builder.run import run, tool

TOOLS_RELEASE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class PackageSource(Protocol):
    """The one place that mkosi takes packages from."""

    @property
    def name(self) -> str:
        """What has been installed from sources of different names is kept apart."""

    def arguments(self, sandbox: Path, release: str, components: Sequence[str] = ()) -> list[str]:
        """Return mkosi's arguments for this source; `sandbox` is a new directory that may be filled."""


@dataclass(frozen=True)
class Archive:
    """A Debian archive: the mirror and snapshot that a profile names, or else the mirror that the host's apt uses.

    With a snapshot the address is `<mirror>/archive/debian/<snapshot>`, as snapshot archives lay it out.
    """

    mirror: str | None = None
    snapshot: str | None = None

    @cached_property
    def url(self) -> str:
        """The address that holds `dists/` and `pool/`. apt is only asked when it is needed; it takes half a second."""
        url = (self.mirror or _host_mirror()).rstrip("/")
        return f"{url}/archive/debian/{self.snapshot}" if self.snapshot else url

    @property
    def name(self) -> str:
        """The snapshot, or nothing: mirrors of the newest state are taken to be alike."""
        return self.snapshot or ""

    @cached_property
    def proxy(self) -> str:
        """The proxy that the host's apt goes through, empty for none."""
        return run(["apt-config", "--format", "%v%n", "dump", "Acquire::http::Proxy"], check=False).stdout.strip()

    def sources(self, release: str, components: Sequence[str] = ()) -> str:
        """Return the deb822 source of one release, for `/etc/apt/sources.list.d`: main, and `components` beside it."""
        wanted = " ".join(["main", *components])
        return f"Types: deb\nURIs: {self.url}\nSuites: {release}\nComponents: {wanted}\nSigned-By: {KEYRING}\n"

    def arguments(self, sandbox: Path, release: str, components: Sequence[str] = ()) -> list[str]:
        """Return mkosi's arguments, and write the tree that it lays over its sandbox.

        A file named mkosi.sources replaces mkosi's own list, which names an archive of debug symbols that most
        mirrors do not carry.
        """
        sources = sandbox / "etc/apt/sources.list.d/mkosi.sources"
        sources.parent.mkdir(parents=True)
        sources.write_text(self.sources(release, components))
        return ["--sandbox-tree", str(sandbox), *(("--proxy-url", self.proxy) if self.proxy else ())]


def _host_mirror() -> str:
    tool(
        "apt-get",
        purpose="to fetch Debian packages and check their signatures",
        hint="Build on Debian 12 or 13, or in a container or virtual machine that runs one of them",
    )
    lines = run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"]).stdout.splitlines()
    for line in lines:
        origin, label, url = line.split(" ", 2)
        if (origin, label) == ("Debian", "Debian"):
            return url
    raise ToolError(
        "apt knows no Debian mirror on this machine",
        hint="Run `apt-get update` as root, or name a mirror in the profile under `distribution: mirror:`",
    )
