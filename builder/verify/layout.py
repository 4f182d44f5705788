"""The partitions that an image has, and those inside a model image: their types, labels and attributes.

The types are those of the Discoverable Partitions Specification, and two of ours.
"""

from dataclasses import dataclass

from builder.profile.catalogue import LABEL_PREFIX
from builder.render.repart import MODEL_TYPE

ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
ROOT = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
VERITY = "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5"
SIGNATURE = "41092b05-9fc8-4523-994f-2def0408b176"
MODEL = MODEL_TYPE
# overlays/state makes it at the first start of a machine.
STATE = "7c1f2a90-5d3e-4b7e-9a55-0c1d2e3f4a5b"

# Attribute bits 60 and 59 of the Discoverable Partitions Specification.
READ_ONLY = 1 << 60
GROW_FILE_SYSTEM = 1 << 59


@dataclass(frozen=True)
class Kind:
    """What a partition of one type may be: its name for a person, its label and its attributes.

    In a label, `*` at the end stands for anything, and `{name}` for the label of the root.
    """

    title: str
    label: str
    attributes: frozenset[int] = frozenset({0})


_SIGNED = frozenset({READ_ONLY})
_VERITY_KINDS = {
    ROOT: Kind("root", "*", _SIGNED),
    VERITY: Kind("root-verity", "{name}_verity", _SIGNED),
    SIGNATURE: Kind("root-verity-sig", "{name}_verity_sig", _SIGNED),
}
SYSTEM = _VERITY_KINDS | {
    ESP: Kind("ESP", "esp"),
    MODEL: Kind("model", f"{LABEL_PREFIX}*"),
    STATE: Kind("state", "claudine-state", frozenset({0, GROW_FILE_SYSTEM})),
}
MODEL_IMAGE = _VERITY_KINDS
