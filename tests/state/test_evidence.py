"""What root can see of the machine's promises: the kernel's own words, and who signed the root."""

import base64
import json
import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from builder.keys import authvar
from claudine_state.evidence import gather, give_evidence
from claudine_state.signer import find_signer
from tests.state.simulated_machine import SimulatedMachine

ROOT_HASH = "aa4eea4617fb1b3348d3a7423963b9ccc83af65c26abe3108a482d1f14622277"
TABLE = f"0 431216 verity 1 254:2 254:3 4096 4096 53902 1 sha256 {ROOT_HASH} 00 1 root_hash_sig_key_desc x"
DB = "sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
PARTITION = "dev/disk/by-partlabel/claudineos_0.1.0_verity_sig"
DEV = "Inter-|\n face |\n    lo: 0 0"

Pair = tuple[rsa.RSAPrivateKey, x509.Certificate]


def make_pair(name: str) -> Pair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    return key, builder.not_valid_before(now).not_valid_after(now + timedelta(1)).sign(key, hashes.SHA256())


@pytest.fixture(scope="module")
def verity() -> Pair:
    return make_pair("Ada Lovelace\x1b[31m verity")


@pytest.fixture(scope="module")
def other() -> Pair:
    return make_pair("somebody else")


def signature(pair: Pair, text: str = ROOT_HASH, *options: pkcs7.PKCS7Options) -> bytes:
    """Signed as systemd-repart does it."""
    chosen = options or (pkcs7.PKCS7Options.NoAttributes,)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(text.encode()).add_signer(pair[1], pair[0], hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, *chosen])


def db(*pairs: Pair) -> bytes:
    return b"\x07\0\0\0" + authvar.signature_lists([certificate for _, certificate in pairs], uuid.uuid4())


@pytest.fixture
def promising(machine: SimulatedMachine, verity: Pair, other: Pair) -> SimulatedMachine:
    """A machine that keeps its promises."""
    machine.put_efi_flag("SecureBoot", True)
    machine.put_efi_flag("SetupMode", False)
    machine.put(DB, db(other, verity))
    document = {"rootHash": ROOT_HASH, "signature": base64.b64encode(signature(verity)).decode()}
    machine.put(PARTITION, json.dumps(document).encode() + bytes(4096))
    machine.put("usr/lib/os-release", 'ID=debian\nIMAGE_ID="claudineos"\nIMAGE_VERSION="0.1.0"\n')
    machine.put("proc/cmdline", f"ro roothash={ROOT_HASH} quiet\n")
    machine.put("sys/module/dm_verity/parameters/require_signatures", "Y\n")
    machine.put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    for process, namespace in ((1, 4026531840), (812, 4026532001)):
        link = machine.host.root / f"proc/{process}/ns/net"
        link.parent.mkdir(parents=True)
        link.symlink_to(f"net:[{namespace}]")
    machine.put("proc/812/net/dev", DEV + "\n")
    machine.put("proc/812/net/route", "Iface\n")
    machine.printed["dmsetup table root"] = TABLE.encode() + b"\n"
    folder = machine.host.root / "run/claudine-runtime"
    folder.mkdir(parents=True)
    (folder / "llama.sock").symlink_to("other_2/llama.sock")
    machine.printed["systemctl show --property=MainPID --value claudine-runtime@other_2.service"] = b"812\n"
    return machine


def test_evidence_is_one_line_of_the_kernels_own_words(promising: SimulatedMachine, verity: Pair) -> None:
    reader, target = os.pipe()
    give_evidence(promising.host, target)
    line = os.read(reader, 65536)
    os.close(reader)
    os.close(target)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "secure_boot": True,
        "setup_mode": False,
        "command_line": ROOT_HASH,
        "verity_table": TABLE,
        "require_signatures": "Y",
        "signer": {"subject": "Ada Lovelace?[31m verity", "sha256": verity[1].fingerprint(hashes.SHA256()).hex()},
        "lockdown": "none [integrity] confidentiality",
        "host_namespace": 4026531840,
        "runtime": {
            "process": 812,
            "namespace": 4026532001,
            "dev": DEV,
            "route": "Iface",
            "ipv6_route": None,
        },
    }


def test_what_cannot_be_seen_is_null(machine: SimulatedMachine) -> None:
    machine.failing["dmsetup"] = (1, "Device root not found")
    assert set(gather(machine.host).values()) == {None}


@pytest.mark.parametrize("printed", [b"0\n", b"", b"-1\n", b"../../x\n"])
def test_a_runtime_that_does_not_run_has_no_network(promising: SimulatedMachine, printed: bytes) -> None:
    promising.printed = {"systemctl show --property=MainPID": printed}
    assert gather(promising.host)["runtime"] is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b'{"signature": 1}', b'{"signature": "%%"}', b'{"signature": "MIIB"}', b"[" * 99999],
)
def test_a_signature_partition_with_anything_else_names_no_signer(promising: SimulatedMachine, content: bytes) -> None:
    promising.put(PARTITION, content)
    assert gather(promising.host)["signer"] is None


def test_a_stick_with_the_partitions_name_cannot_fill_the_memory(promising: SimulatedMachine) -> None:
    with (promising.host.root / PARTITION).open("r+b") as partition:
        partition.truncate(2**40)
    assert gather(promising.host)["signer"] is not None


def test_the_signer_is_who_the_firmware_trusts(verity: Pair, other: Pair) -> None:
    signed = signature(verity)
    found = find_signer(ROOT_HASH, signed, db(other, verity))
    assert found and found.sha256 == verity[1].fingerprint(hashes.SHA256()).hex()
    assert find_signer(ROOT_HASH, signed, db(other)) is None
    assert find_signer(ROOT_HASH, signed, b"") is None


def test_a_signature_of_another_root_is_none(verity: Pair) -> None:
    assert find_signer(ROOT_HASH, signature(verity, "00" + ROOT_HASH[2:]), db(verity)) is None


def test_a_signature_over_attributes_is_not_taken_for_one_of_the_root(verity: Pair) -> None:
    with_attributes = signature(verity, ROOT_HASH, pkcs7.PKCS7Options.NoCapabilities)
    assert find_signer(ROOT_HASH, with_attributes, db(verity)) is None


def test_bytes_that_are_cut_off_or_changed_name_no_signer_and_break_nothing(verity: Pair) -> None:
    signed, trusted = signature(verity), db(verity)
    for length in range(0, len(signed), 7):
        assert find_signer(ROOT_HASH, signed[:length], trusted) is None
    for length in range(0, len(trusted) - 1, 7):
        assert find_signer(ROOT_HASH, signed, trusted[:length]) is None
    for place in range(0, len(trusted), 3):
        find_signer(ROOT_HASH, signed, trusted[:place] + bytes([trusted[place] ^ 0x80]) + trusted[place + 1 :])
