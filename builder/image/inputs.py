"""All that decides an image's bytes."""

import hashlib
import json
from dataclasses import dataclass

from builder.keys import KeySet
from builder.lock import Lock
from builder.model import model_image_digest
from builder.profile import Profile, ResolvedProfile
from builder.render import RenderPlan
from builder.toolchain import PackageSource, Toolchain


@dataclass(frozen=True)
class BuildInputs:
    """What a build starts from. The model is known by its digests before it is fetched."""

    resolved: ResolvedProfile
    plan: RenderPlan
    # What the build says the image does not have (`bill_of_absence`): beside the image, not in it.
    absence: str
    keys: KeySet
    source: PackageSource
    toolchain: Toolchain
    # What the build is held to, if anything.
    lock: Lock | None = None

    @property
    def profile(self) -> Profile:
        """The resolved profile's values."""
        return self.resolved.profile

    @property
    def digest(self) -> str:
        """SHA-256 over the inputs: equal digests mean equal images, but for packages that a mirror has replaced."""
        inputs = {
            "plan": self.plan.digest,
            "absence": self.absence,
            "model": model_image_digest(self.resolved.model.model, self.keys, self.toolchain),
            "mirror": self.profile.distribution.mirror,
            "snapshot": self.profile.distribution.snapshot,
            "microsoft_certificates": self.profile.boot.microsoft_certificates,
            "certificates": [pair.certificate.sha256 for pair in self.keys.pairs],
            "mkosi": self.toolchain.mkosi.version,
            "tools": self.toolchain.tools_digest,
            "lock": self.lock.digest if self.lock else None,
        }
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
