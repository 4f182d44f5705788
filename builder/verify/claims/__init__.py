"""The claims, one a file, in the order in which they are reported.

Each module has `check(disk, context)`, which yields findings: one that passed, or one for each thing that is wrong.
"""

from collections.abc import Callable, Iterator

from builder.verify.claims import gpt
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding

Check = Callable[[Disk, Context], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (gpt.check,)
