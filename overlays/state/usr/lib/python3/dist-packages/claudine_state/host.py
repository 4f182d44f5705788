"""The machine as the other modules see it: where its files are, and how its programs are run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claudine_state.run import Runner, run

Unlock = Literal["tpm2", "passphrase"]


@dataclass(frozen=True)
class Host:
    """This machine; or a simulated one, below another *root* and with another *run*."""

    root: Path = Path("/")
    run: Runner = run

    @property
    def partition(self) -> Path:
        """The partition that holds the LUKS volume: the link that crypttab names too."""
        return self.root / "dev/disk/claudine-state"

    @property
    def volume(self) -> Path:
        """The unlocked volume, with the file system of /var."""
        return self.root / "dev/mapper/state"

    @property
    def runtime_directory(self) -> Path:
        """The directory in memory that also has the socket; what is secret in it has mode 0600."""
        path = self.root / "run/claudine-state"
        path.mkdir(mode=0o755, exist_ok=True)
        return path

    def unlock(self) -> Unlock:
        """Say how the image unlocks its disk: the profile's ``storage.unlock``."""
        match (self.root / "usr/lib/claudine-state/unlock").read_text().strip():
            case "tpm2":
                return "tpm2"
            case "passphrase":
                return "passphrase"
            case other:
                raise ValueError(f"storage.unlock is {other!r}; it must be tpm2 or passphrase")
