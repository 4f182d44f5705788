"""Check every claim about an image: in Python alone, without root, mounts, network or trust in who built it.

evidence = verify(Path("claudineos_0.1.0.raw"), [Path("keys/db.crt"), Path("keys/verity.crt")])
evidence.failed            the findings that did not pass
"""

from builder.verify.evidence import Evidence, Finding, Unchecked
from builder.verify.verify import verify

__all__ = ["Evidence", "Finding", "Unchecked", "verify"]
