"""Each claim about the disk, broken in each way that it is about; nothing else is found then."""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builder.verify import ids
from builder.verify.layout import ESP, MODEL, ROOT, SIGNATURE, STATE, VERITY
from tests.support.model_image import BLOCK, Owner, hash_tree, put, signature_document
from tests.support.tiny_disk import SECTOR, Part, TinyDisk
from tests.support.tiny_image import LABEL, WEIGHTS, signed_root, tiny_model, tiny_system
from tests.unit.verify.conftest import Verified

Change = Callable[[TinyDisk], TinyDisk | bytes | None]


def test_an_image_as_it_is_built_passes(system: TinyDisk, verified: Verified) -> None:
    evidence = verified(system)
    assert not evidence.failed
    claims = [finding.claim for finding in evidence.findings]
    assert claims[:3] == ["gpt", "root-hash", "root-signature"]
    assert {"model-gpt", "model-root-hash", "model-root-signature", "model-weights"} <= set(claims)
    assert evidence.unchecked == ()


def put_at(offset: int, content: bytes) -> Change:
    """Overwrite bytes of the finished image; a negative offset counts from its end."""

    def change(system: TinyDisk) -> bytes:
        image = bytearray(system.to_bytes())
        put(image, offset if offset >= 0 else len(image) + offset, content)
        return bytes(image)

    return change


def part_with(kind: str, **fields: object) -> Change:
    def change(system: TinyDisk) -> None:
        for name, value in fields.items():
            setattr(system.part(kind), name, value)

    return change


def disk_with(**fields: object) -> Change:
    def change(system: TinyDisk) -> None:
        for name, value in fields.items():
            setattr(system, name, value)

    return change


def another_partition(**fields: str) -> Change:
    def change(system: TinyDisk) -> None:
        part = {"kind": str(uuid.uuid4()), "id": str(uuid.uuid4()), "label": "", **fields}
        system.parts.append(Part(part["kind"], part["id"], part["label"], bytes(SECTOR)))

    return change


def state_with(**fields: Any) -> Change:
    def change(system: TinyDisk) -> None:
        state = Part(STATE, str(uuid.uuid4()), "claudine-state", bytes(SECTOR))
        system.parts.append(replace(state, **fields))

    return change


def two_states(system: TinyDisk) -> None:
    state_with()(system)
    state_with()(system)


def overlapping(system: TinyDisk) -> None:
    system.to_bytes()
    _, last = system.places[MODEL]
    state_with(content=b"", sectors=(last, last + 4))(system)


def longer(system: TinyDisk) -> bytes:
    return system.to_bytes() + bytes(64 * SECTOR)


def shorter(system: TinyDisk) -> bytes:
    return system.to_bytes()[:-SECTOR]


DISK_ID = str(uuid.UUID(int=7))
UNREADABLE: list[tuple[str, Change, str]] = [
    ("no first table", put_at(SECTOR, bytes(SECTOR)), "no GPT header"),
    ("a first header that is damaged", put_at(SECTOR + 56, b"\x01"), "checksum of the GPT header"),
    ("something behind the first header", put_at(SECTOR + 92, b"x"), "reserved bytes"),
    ("a first entry that is damaged", put_at(2 * SECTOR + 60, b"x"), "checksum of the GPT entries"),
    ("an entry in use without a type", disk_with(spare_entry=bytes(16) + b"x"), "which is not used"),
    ("data behind a label", part_with(ESP, label="esp\0hidden"), "behind the label"),
    ("a label that is no text", part_with(ESP, label="esp\udc00".encode("utf-16-le", "surrogatepass")), "no text"),
]
TABLES: list[tuple[str, Change, str]] = [
    ("a boot sector", put_at(0, b"\xeb\x63\x90"), "protective MBR"),
    ("a hybrid MBR", put_at(446 + 16, b"\x80\0\x02\0\x0c\xff\xff\xff" + bytes(4) + b"\x08\0\0\0"), "protective MBR"),
    ("no second table", put_at(-SECTOR, bytes(SECTOR)), "no GPT header"),
    ("a second entry that is damaged", put_at(-33 * SECTOR, b"x"), "checksum of the GPT entries"),
    ("a second table of another disk", disk_with(backup_id=DISK_ID), "the copy lists something else"),
    ("another disk id", disk_with(id=DISK_ID), "a disk with the id"),
    ("partitions may lie on the tables", disk_with(first_usable=20), "for partitions"),
    ("partitions may lie on the second table", disk_with(last_usable=10**6), "for partitions"),
    ("a partition outside the range", disk_with(last_usable=100), "outside the range"),
    ("a partition nobody knows", another_partition(), "unknown type"),
    ("two partitions for the state", two_states, "two partitions of the same type"),
    ("a partition upon another", overlapping, "overlap"),
    (
        "a partition beyond all disks",
        state_with(content=b"", sectors=((1 << 63) - 8, (1 << 63) - 1)),
        "outside the range",
    ),
    ("a root that is not read-only", part_with(ROOT, attributes=0), "attributes 0x0 of the partition root"),
    ("an ESP that nothing mounts", part_with(ESP, attributes=1 << 63), "attributes"),
    ("a hash tree of another name", part_with(VERITY, label="claudineos_0.2.0_verity"), "a label"),
    ("a state of another name", state_with(label="state"), "a label 'state'"),
    ("another id of the ESP", part_with(ESP, id=DISK_ID), "a partition with the id"),
    ("another id of the signature", part_with(SIGNATURE, id=DISK_ID), "a partition with the id"),
    ("data before the partitions", put_at(39 * SECTOR, b"x"), "data outside the partitions"),
    ("data behind the partitions", put_at(-34 * SECTOR, b"x"), "data outside the partitions"),
    ("a disk longer than its table says", longer, "a copy at sector"),
    ("a disk cut short", shorter, "a copy at sector"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_a_partition_table_with_anything_unusual_fails(
    change: Change, found: str, system: TinyDisk, verified: Verified
) -> None:
    failed = verified(change(system) or system).failed
    assert {finding.claim for finding in failed} == {"gpt"}
    assert any(found in finding.found for finding in failed)


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_a_partition_table_that_cannot_be_read_fails_every_claim(
    change: Change, found: str, system: TinyDisk, verified: Verified
) -> None:
    evidence = verified(change(system) or system)
    assert not [finding for finding in evidence.findings if finding.passed]
    assert found in evidence.findings[0].found


def with_weights_changed(owner: Owner, offset: int) -> bytes:
    model = tiny_model(owner)
    image = bytearray(model.to_bytes())
    image[model.offset(ROOT) + 2 * BLOCK + offset] ^= 1
    return bytes(image)


def changed_root(system: TinyDisk) -> None:
    root = system.part(ROOT)
    root.content = root.content[:5000] + b"x" + root.content[5001:]


def changed_tree(offset: int) -> Change:
    def change(system: TinyDisk) -> None:
        content = bytearray(system.part(VERITY).content)
        content[offset] ^= 1
        system.part(VERITY).content = bytes(content)

    return change


def longer_part(kind: str, content: bytes) -> Change:
    def change(system: TinyDisk) -> None:
        system.part(kind).content += content

    return change


def tree_with(*, salt: bytes = b"", identity: bytes = b"") -> Change:
    """Another hash tree over the same root, with the ids that follow; its signature is another one as well."""

    def change(system: TinyDisk) -> None:
        seed = ids.system_seed(LABEL)
        tree, root_hash = hash_tree(
            system.part(ROOT).content, salt or ids.verity_salt(seed), identity or ids.verity_id(seed).bytes
        )
        system.part(VERITY).content = tree
        system.part(ROOT).id, system.part(VERITY).id = (
            str(uuid.UUID(half)) for half in (root_hash[:32], root_hash[32:])
        )

    return change


TREES: list[tuple[str, Change, str]] = [
    ("a block of the root", changed_root, "1 blocks that do not fit"),
    ("a hash of the root", changed_tree(2 * BLOCK + 40), "1 blocks that do not fit"),
    ("the padding of a hash block", changed_tree(3 * BLOCK + 65), "1 blocks that do not fit"),
    ("the top of the tree", changed_tree(BLOCK + 5), "a hash tree with the root hash"),
    ("the padding of the top", changed_tree(2 * BLOCK - 1), "a hash tree with the root hash"),
    ("the magic number", changed_tree(0), "no superblock"),
    ("the version", changed_tree(8), "of another kind"),
    ("the hash function", changed_tree(33), "of another kind"),
    ("the id", changed_tree(16), "does not follow from the label"),
    ("the size of blocks", changed_tree(64), "with blocks of"),
    ("the number of blocks", changed_tree(72), "a hash tree over 131 blocks"),
    ("the number of blocks, to none", lambda system: changed_tree(72)(system), "a hash tree over"),
    ("the size of the salt", changed_tree(80), ""),
    ("the salt", changed_tree(100), "does not follow from the label"),
    ("the reserved bytes", changed_tree(84), "reserved bytes"),
    ("the rest of the superblock's block", changed_tree(BLOCK - 1), "reserved bytes"),
    ("data behind the tree", longer_part(VERITY, bytes(BLOCK - 1) + b"x"), "data behind the hash tree"),
    ("data behind the root", longer_part(ROOT, bytes(BLOCK)), "a hash tree over 130 blocks"),
    ("a tree with another id", tree_with(identity=bytes(16)), "does not follow from the label"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in TREES], ids=[row[0] for row in TREES])
def test_whatever_is_changed_in_a_root_or_its_tree_is_found(
    change: Change, found: str, system: TinyDisk, verified: Verified
) -> None:
    failed = verified(change(system) or system).failed
    assert {finding.claim for finding in failed} == {"root-hash"}
    assert found in failed[0].found
    assert failed[0].where.startswith(("root, byte", "root-verity, byte"))


def test_a_finding_names_the_place_of_a_changed_block(system: TinyDisk, verified: Verified) -> None:
    changed_root(system)
    (failed,) = verified(system).failed
    assert failed.where == f"root, byte {system.offset(ROOT) + BLOCK}"


def signed_by(signer: Owner, *, text: str = "", fingerprint: str = "") -> Change:
    """A signature partition with a signature of somebody's, over the root hash unless `text` is given."""

    def change(system: TinyDisk) -> None:
        named = uuid.UUID(system.part(ROOT).id).hex + uuid.UUID(system.part(VERITY).id).hex
        document = json.loads(signature_document(signer, named))
        if text:
            document["signature"] = base64.b64encode(signer.sign(text)).decode()
        if fingerprint:
            document["certificateFingerprint"] = fingerprint
        system.part(SIGNATURE).content = json.dumps(document, separators=(",", ":")).encode().ljust(4 * BLOCK, b"\0")

    return change


def document_with(edit: Callable[[bytes], bytes]) -> Change:
    def change(system: TinyDisk) -> None:
        text = system.part(SIGNATURE).content.rstrip(b"\0")
        system.part(SIGNATURE).content = edit(text).ljust(4 * BLOCK, b"\0")

    return change


def with_field(name: str, value: object) -> Change:
    return document_with(lambda text: json.dumps({**json.loads(text), name: value}, separators=(",", ":")).encode())


SIGNATURES: list[tuple[str, Change, str]] = [
    ("nothing", part_with(SIGNATURE, content=bytes(4 * BLOCK)), "no JSON object"),
    ("no JSON", document_with(lambda text: text[:-1]), "no JSON object"),
    ("nested without end", document_with(lambda text: b"[" * 16000), "no JSON object"),
    ("a list", document_with(lambda text: b"[]"), "no JSON object"),
    ("something beside", with_field("note", "hello"), "more than a root hash"),
    ("something behind", document_with(lambda text: text + b"\0hidden"), "no JSON object"),
    ("other spaces", document_with(lambda text: text.replace(b",", b", ")), "more than a root hash"),
    ("no base64", with_field("signature", "*"), "no JSON object"),
    ("an empty signature", with_field("signature", ""), ""),
    ("garbage", with_field("signature", base64.b64encode(bytes(range(200))).decode()), ""),
    ("a large number of bytes", with_field("signature", base64.b64encode(bytes(10000)).decode()), ""),
    ("another root hash", with_field("rootHash", "00" * 32), "a signature for the root hash 0000"),
    ("another fingerprint", with_field("certificateFingerprint", "00" * 32), "fingerprint of another certificate"),
    ("a large partition", part_with(SIGNATURE, content=bytes(1 << 21)), "for a signature"),
]


@pytest.mark.parametrize(("change", "found"), [row[1:] for row in SIGNATURES], ids=[row[0] for row in SIGNATURES])
def test_a_signature_partition_with_anything_else_fails(
    change: Change, found: str, system: TinyDisk, verified: Verified
) -> None:
    failed = verified(change(system) or system).failed
    assert {finding.claim for finding in failed} == {"root-signature"}
    assert found in failed[0].found
    assert failed[0].where.startswith("root-verity-sig, byte")


def test_a_signature_of_somebody_else_fails(system: TinyDisk, verified: Verified) -> None:
    signed_by(Owner("Eve"))(system)
    (failed,) = verified(system).failed
    assert (failed.claim, failed.found) == ("root-signature", "another certificate than the given ones signed it")


def test_a_signature_over_another_root_hash_fails(owner: Owner, system: TinyDisk, verified: Verified) -> None:
    signed_by(owner, text="00" * 32)(system)
    (failed,) = verified(system).failed
    assert (failed.claim, failed.found) == ("root-signature", "the signature does not match what it should cover")


def test_a_whole_system_that_somebody_else_signed_fails_by_its_signature(owner: Owner, verified: Verified) -> None:
    eve = Owner("Eve")
    system = tiny_system(eve, tiny_model(owner).to_bytes())
    assert "root-signature" in {finding.claim for finding in verified(system).failed}


def model_with(weights: bytes = WEIGHTS, description: bytes | None = None) -> Callable[[Owner], bytes]:
    return lambda owner: tiny_model(owner, weights=weights, description=description).to_bytes()


def model_of_eve(owner: Owner) -> bytes:
    return tiny_model(Owner("Eve")).to_bytes()


def model_with_label(owner: Owner) -> bytes:
    model = tiny_model(owner)
    data = model.part(ROOT).content
    seed = ids.model_seed("other_1")
    return TinyDisk(ids.disk_id(seed), signed_root(owner, "other_1", data, seed)).to_bytes()


def model_on_a_longer_disk(owner: Owner) -> bytes:
    return tiny_model(owner).to_bytes() + bytes(BLOCK)


def model_with_an_esp(owner: Owner) -> bytes:
    model = tiny_model(owner)
    model.parts.append(Part(ESP, str(uuid.uuid4()), "esp", bytes(BLOCK)))
    return model.to_bytes()


TRUE_DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
MODELS: list[tuple[str, Callable[[Owner], bytes], set[str], str]] = [
    ("another partition in it", model_with_an_esp, {"model-gpt"}, "unknown type"),
    ("another model than the label says", model_with_label, {"model-gpt"}, "the model other_1"),
    ("weights that changed", lambda owner: with_weights_changed(owner, 9), {"model-root-hash", "model-weights"}, ""),
    ("somebody else's", model_of_eve, {"model-root-signature"}, "another certificate"),
    ("other weights than it says", model_with(description=b'{"sha256":"00"}'), {"model-weights"}, "with the SHA-256"),
    ("a description that says nothing", model_with(description=b"[]"), {"model-weights"}, "names no SHA-256"),
    (
        "room for something else",
        model_on_a_longer_disk,
        {"model-gpt", "model-root-hash", "model-root-signature", "model-weights"},
        "another length",
    ),
]


@pytest.mark.parametrize(("make", "claims", "found"), [row[1:] for row in MODELS], ids=[row[0] for row in MODELS])
def test_a_model_with_anything_unusual_fails(
    make: Callable[[Owner], bytes], claims: set[str], found: str, owner: Owner, verified: Verified
) -> None:
    failed = verified(tiny_system(owner, make(owner))).failed
    assert {finding.claim for finding in failed} == claims
    assert found in failed[0].found
    assert failed[0].where.startswith("model")


def test_what_a_machine_keeps_is_known_and_said_not_to_be_checked(system: TinyDisk, verified: Verified) -> None:
    system.parts.append(Part(STATE, str(uuid.uuid4()), "claudine-state", b"LUKS\xba\xbe" * 1000))
    evidence = verified(system)
    assert not evidence.failed
    (unchecked,) = evidence.unchecked
    assert unchecked.offset_bytes == system.offset(STATE)


def test_a_model_that_the_image_ends_in_is_a_finding(system: TinyDisk, verified: Verified) -> None:
    image = system.to_bytes()
    start = system.offset(MODEL)
    for length in range(start, start + len(system.part(MODEL).content), 4999):
        failed = verified(image[:length]).failed
        assert {"gpt", "model-gpt"} <= {finding.claim for finding in failed}


@pytest.mark.parametrize("kind", [ROOT, VERITY, SIGNATURE, MODEL])
def test_a_missing_partition_fails_the_claims_about_it(kind: str, system: TinyDisk, verified: Verified) -> None:
    system.parts.remove(system.part(kind))
    failed = verified(system).failed
    assert any(f"0 partitions of type {kind}" in finding.found for finding in failed)


@pytest.mark.parametrize("content", [b"", b"x", bytes(511), bytes(1 << 20), b"EFI PART" * 1000])
def test_what_is_no_image_fails_every_claim(content: bytes, verified: Verified) -> None:
    evidence = verified(content)
    assert evidence.findings
    assert not [finding for finding in evidence.findings if finding.passed]
