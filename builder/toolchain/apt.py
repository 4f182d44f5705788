"""Where Debian packages come from: the host's own mirror, unless a profile names another.

No mirror is written into this program. apt knows which one this machine uses, and its signature check stands between
that mirror and us.
"""

from dataclasses import dataclass
from pathlib import Path

from builder.errors import ToolError
from builder.run import run, tool

TOOLS_RELEASE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Archive:
    """A Debian archive: the address that holds `dists/` and `pool/`, and the proxy that apt reaches it through."""

    url: str
    proxy: str = ""

    def sources(self, release: str) -> str:
        """Return the deb822 source of one release, for `/etc/apt/sources.list.d`."""
        return f"Types: deb\nURIs: {self.url}\nSuites: {release}\nComponents: main\nSigned-By: {KEYRING}\n"

    def write_sandbox(self, directory: Path, release: str) -> Path:
        """Write the tree that mkosi lays over its sandbox, and return it.

        A file named mkosi.sources replaces mkosi's own list, which names an archive of debug symbols that most
        mirrors do not carry.
        """
        sources = directory / "etc/apt/sources.list.d/mkosi.sources"
        sources.parent.mkdir(parents=True, exist_ok=True)
        sources.write_text(self.sources(release))
        return directory


def find_archive(mirror: str | None = None, snapshot: str | None = None) -> Archive:
    """Return the archive that a profile names, or else the one that the host's apt is configured with.

    With a `snapshot` the address is `<mirror>/archive/debian/<snapshot>`, as snapshot archives lay it out.
    """
    proxy = _setting("Acquire::http::Proxy")
    url = (mirror or _host_mirror()).rstrip("/")
    if snapshot:
        url = f"{url}/archive/debian/{snapshot}"
    return Archive(url, proxy)


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


def _setting(name: str) -> str:
    return run(["apt-config", "--format", "%v%n", "dump", name], check=False).stdout.strip()
