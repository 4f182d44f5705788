"""The claims, one a file, in the order in which they are reported.

Each module has `check(disk, context)`, which yields findings: one that passed, or one for each thing that is wrong.
"""

from collections.abc import Callable, Iterator

from builder.verify.claims import (
    boot_loader,
    boot_menu,
    enrolment,
    esp,
    gpt,
    kernel_arguments,
    kernel_sections,
    kernel_signature,
    model,
    pcr_signature,
    record,
    root_hash,
    root_signature,
)
from builder.verify.context import Context
from builder.verify.disk import Disk
from builder.verify.evidence import Finding

Check = Callable[[Disk, Context], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    gpt.check,
    esp.check,
    boot_menu.check,
    enrolment.check,
    boot_loader.check,
    kernel_signature.check,
    kernel_sections.check,
    kernel_arguments.check,
    pcr_signature.check,
    root_hash.check,
    root_signature.check,
    model.check,
    record.check,
)
