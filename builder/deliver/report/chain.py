"""The boot chain as a drawing: what starts what, which signature lets it, and whether that signature holds.

It is laid out twice: four columns for a desk and paper, one for a phone; the page shows what fits. Lengths are those of
the drawing's own coordinates, which on paper and on a usual screen are pixels.
"""

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from builder.deliver.report.inputs import Inputs, Missing
from builder.deliver.report.words import short_digest
from builder.keys import Role

# What a machine measures into which register of its TPM (UAPI.7, Linux TPM PCR registry).
REGISTERS = {4: "boot loader and kernel", 7: "Secure Boot and its keys", 11: "parts of the kernel image"}


class State(Enum):
    """Whether a link holds; the value is for a person."""

    HOLDS = "holds"
    BROKEN = "broken"
    IN_DOUBT = "rests on a broken link"
    UNCHECKED = "not checked"
    GIVEN = "yours to enrol"
    MEASURES = "on the machine"


@dataclass(frozen=True)
class Link:
    """A part of the chain: what it does, in lines of at most 34 letters, and the key or hash that stands for it."""

    name: str
    title: str
    lines: tuple[str, ...]
    key: str
    state: State


@dataclass(frozen=True)
class Box:
    """A link with its place."""

    link: Link
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Arrow:
    """A straight line with a head at its end, and what it says."""

    x1: int
    y1: int
    x2: int
    y2: int
    label: str = ""


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn, and the size of the whole."""

    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True)
class Chain:
    """The links in the order in which a machine comes to them, the drawings, and the expected registers."""

    links: tuple[Link, ...]
    drawings: tuple[Drawing, ...]
    registers: tuple[tuple[int, str, str], ...]


def boot_chain(inputs: Inputs) -> Chain:
    """Return the chain of an image, judged by the evidence."""
    links = {link.name: link for link in _links(inputs)}
    predicted = inputs.evidence.predicted_pcrs
    registers = tuple((number, what, predicted.get(number, "")) for number, what in REGISTERS.items())
    return Chain(tuple(links.values()), (_wide(links), _tall(links)), registers)


def _links(inputs: Inputs) -> tuple[Link, ...]:
    root_hash = "" if isinstance(inputs.record, Missing) else f"root {short_digest(inputs.record.root_hash)}"
    claims = _Claims(inputs)
    boot_loader = claims.state("boot-loader-signature")
    kernel = claims.state("uki-signature", "uki-sections", after=boot_loader)
    root = claims.state("root-hash", "root-signature", after=kernel)
    system = claims.state("command-line", after=root)
    model = claims.state("model-gpt", "model-root-hash", "model-root-signature", "model-weights", after=system)
    policy = claims.state("pcr-signature", after=kernel)
    key = claims.key
    return (
        Link("firmware", "Firmware", ("starts only what the owner's", "keys have signed"), key(Role.PK), State.GIVEN),
        Link("boot-loader", "systemd-boot", ("chooses what to start;", "nobody edits it"), key(Role.DB), boot_loader),
        Link("kernel", "Kernel image", ("kernel, initrd and command line", "in one signed file"), key(Role.DB), kernel),
        Link("root", "Root", ("read-only; each block checked", "against the signed root hash"), key(Role.VERITY), root),
        Link("system", "systemd", ("starts programs from signed", "devices only"), root_hash, system),
        Link("model", "Model", ("an image of its own, mounted", "only when signed"), key(Role.VERITY), model),
        Link("tpm", "TPM", (), "", State.MEASURES),
        Link(
            "state",
            "State, /var",
            ("encrypted; the TPM gives the key", "to a signed PCR 11 and the same PCR 7"),
            key(Role.PCR),
            policy,
        ),
    )


class _Claims:
    """The findings, as the links ask for them."""

    def __init__(self, inputs: Inputs) -> None:
        self._findings = inputs.evidence.findings
        record = {} if isinstance(inputs.record, Missing) else inputs.record.certificates
        self._certificates = inputs.evidence.certificates | {role: one.sha256 for role, one in record.items()}

    def state(self, *claims: str, after: State = State.HOLDS) -> State:
        """Judge a link by its claims; none holds `after` one that does not."""
        found = [finding for finding in self._findings if finding.claim in claims]
        if not all(finding.passed for finding in found):
            return State.BROKEN
        if after in (State.BROKEN, State.IN_DOUBT):
            return State.IN_DOUBT
        return State.HOLDS if {finding.claim for finding in found} == set(claims) else State.UNCHECKED

    def key(self, role: Role) -> str:
        """Name a key by the beginning of its certificate's fingerprint."""
        digest = self._certificates.get(role) or self._certificates.get(role.certificate_name)
        return f"{role} {short_digest(digest)}" if digest else f"{role}, unknown"


def _wide(links: dict[str, Link]) -> Drawing:
    width, height, gap, drop = 216, 124, 32, 44
    columns = [column * (width + gap) for column in range(4)]
    rows = [1 + row * (height + drop) for row in range(3)]
    three = columns[2] + width
    boxes = (
        *(
            Box(links[name], x, rows[0], width, height)
            for name, x in zip(("firmware", "boot-loader", "kernel", "root"), columns, strict=True)
        ),
        Box(links["system"], columns[3], rows[1], width, height),
        Box(links["model"], columns[3], rows[2], width, height),
        Box(links["tpm"], 0, rows[1], three, height),
        Box(links["state"], 0, rows[2], three, height),
    )
    under = [row + height for row in rows]
    arrows = (
        *(Arrow(x + width, rows[0] + height // 2, x + width + gap, rows[0] + height // 2) for x in columns[:3]),
        *(
            Arrow(x + width // 2, under[0], x + width // 2, rows[1], f"PCR {register}")
            for x, register in zip(columns, (7, 4, 11), strict=False)
        ),
        Arrow(columns[3] + width // 2, under[0], columns[3] + width // 2, rows[1]),
        Arrow(columns[3] + width // 2, under[1], columns[3] + width // 2, rows[2]),
        Arrow(columns[1] + width // 2, under[1], columns[1] + width // 2, rows[2], "gives the key"),
    )
    return Drawing("wide", columns[3] + width, under[2] + 1, boxes, arrows)


def _tall(links: dict[str, Link]) -> Drawing:
    width, height, drop = 340, 112, 28
    boxes = tuple(
        Box(link, 0, 1 + number * (height + drop), width, height) for number, link in enumerate(links.values())
    )
    arrows = tuple(
        Arrow(width // 2, above.y + height, width // 2, below.y)
        for above, below in pairwise(boxes)
        # What is measured comes from all that was started, not from the model.
        if below.link.name != "tpm"
    )
    return Drawing("tall", width, boxes[-1].y + height + 1, boxes, arrows)
