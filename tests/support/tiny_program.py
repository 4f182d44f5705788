"""Programs for a firmware, made by hand: PE images, their signatures, and unified kernel images of a few kilobytes."""

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from builder.keys.pkcs7 import issuer_and_serial
from tests.support.model_image import Owner

ALIGNMENT = 512
HEADERS = 1024
START = 64
CHECKSUM_AT = START + 24 + 64
CERTIFICATES_AT = START + 24 + 144
SECTIONS_AT = START + 24 + 240

KERNEL = "7.2.12+deb14-amd64"
ARGUMENTS = (
    *("ro", "dm_verity.require_signatures=1", "systemd.verity_root_options=root-hash-signature=auto"),
    *("systemd.restrict_filesystem_access=exec", "systemd.gpt_auto=no", "rdinit=/usr/lib/claudine/init"),
    *("lockdown=integrity", "module.sig_enforce=1", "quiet"),
)

Sections = list[tuple[str, bytes]]


def program(sections: Sections) -> bytes:
    """A PE image for x86-64 with these sections."""
    head = bytearray(HEADERS)
    head[:2], head[60:64] = b"MZ", struct.pack("<I", START)
    head[START : START + 24] = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, len(sections), 0, 0, 0, 240, 0x22E)
    optional = START + 24
    head[optional : optional + 2] = struct.pack("<H", 0x20B)
    head[optional + 60 : optional + 64] = struct.pack("<I", HEADERS)
    head[optional + 108 : optional + 112] = struct.pack("<I", 16)
    body = b""
    for number, (name, content) in enumerate(sections):
        raw = -(-len(content) // ALIGNMENT) * ALIGNMENT
        fields = (name.encode(), len(content), 0x1000 * number, raw, HEADERS + len(body), 0, 0, 0, 0, 0x40000040)
        at = SECTIONS_AT + 40 * number
        head[at : at + 40] = struct.pack("<8sIIIIIIHHI", *fields)
        body += content.ljust(raw, b"\0")
    return with_checksum(bytes(head) + body)


def with_checksum(image: bytes) -> bytes:
    total = 0
    for (word,) in struct.iter_unpack("<H", image[:CHECKSUM_AT] + bytes(4) + image[CHECKSUM_AT + 4 :]):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return image[:CHECKSUM_AT] + struct.pack("<I", total + len(image)) + image[CHECKSUM_AT + 4 :]


def authenticode(image: bytes) -> bytes:
    """The digest of an image that has no signature yet."""
    covered = image[:CHECKSUM_AT] + image[CHECKSUM_AT + 4 : CERTIFICATES_AT] + image[CERTIFICATES_AT + 8 :]
    return hashlib.sha256(covered).digest()


def signed(image: bytes, *signers: Owner, digest: bytes | None = None, behind: bytes = b"") -> bytes:
    """The image with a signature by each of the signers, and something behind them."""
    table = b""
    for signer in signers:
        signature = signature_over(digest or authenticode(image), signer)
        entry = struct.pack("<IHH", 8 + len(signature), 0x0200, 0x0002) + signature
        table += entry + bytes(-len(entry) % 8)
    table += behind
    place = struct.pack("<II", len(image), len(table))
    return with_checksum(image[:CERTIFICATES_AT] + place + image[CERTIFICATES_AT + 8 :] + table)


def signature_over(digest: bytes, signer: Owner) -> bytes:
    """A PKCS#7 SignedData over an SpcIndirectDataContent, as sbsign(1) makes it."""
    sha256 = bytes.fromhex("300d06096086480165030402010500")
    rsa = bytes.fromhex("300d06092a864886f70d0101010500")
    name = der(0x06, bytes.fromhex("2b06010401823702010f")) + der(0x30, der(0x03, b"\0"))
    content = der(0x30, name) + der(0x30, sha256 + der(0x04, digest))
    kind = der(0x06, bytes.fromhex("2b060104018237020104"))
    attributes = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010903")) + der(0x31, kind))
    hashed = der(0x04, hashlib.sha256(content).digest())
    attributes += der(0x30, der(0x06, bytes.fromhex("2a864886f70d010904")) + der(0x31, hashed))
    made = signer.key.sign(der(0x31, attributes), padding.PKCS1v15(), hashes.SHA256())
    who = der(0x30, issuer_and_serial(signer.certificate))
    info = der(0x30, b"\x02\x01\x01" + who + sha256 + der(0xA0, attributes) + rsa + der(0x04, made))
    certificate = signer.certificate.public_bytes(Encoding.DER)
    inner = der(0x30, kind + der(0xA0, der(0x30, content)))
    data = der(0x30, b"\x02\x01\x01" + der(0x31, sha256) + inner + der(0xA0, certificate) + der(0x31, info))
    return der(0x30, der(0x06, bytes.fromhex("2a864886f70d010702")) + der(0xA0, data))


def der(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, size] if size < 0x80 else [tag, 0x80 | len(octets), *octets]) + contents


def boot_loader() -> bytes:
    return program([(".text", b"systemd-boot " * 50), (".sdmagic", b"#### LoaderInfo: systemd-boot 262-1 ####")])


@dataclass
class TinyKernel:
    """A unified kernel image; `entries` are other ways to start it, with more arguments."""

    root_hash: str
    label: str
    pcr: Owner
    arguments: tuple[str, ...] = ARGUMENTS
    entries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stub: str = "systemd-stub"
    uname: str = KERNEL
    # What takes the place of a section of the usual start, or is added (None: taken away).
    changed: dict[str, bytes | None] = field(default_factory=dict)
    signatures: bytes | None = None
    added: Sections = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The image without a signature."""
        main = self.sections()
        signatures = self.pcr_signatures(main) if self.signatures is None else self.signatures
        sections = [*main.items(), (".pcrsig", signatures)]
        for name, more in self.entries.items():
            sections.append((".profile", f'ID={name}\nTITLE="{name.title()} it"\n'.encode()))
            sections.append((".cmdline", self._command_line((*self.arguments, *more))))
        return program([*sections, *self.added])

    def sections(self) -> dict[str, bytes]:
        """What the usual start has, but the signatures of PCR 11."""
        sections = self._unchanged()
        if self.entries:
            sections[".profile"] = b"ID=main"
        for name, content in self.changed.items():
            sections.pop(name, None)
            sections |= {name: content} if content is not None else {}
        return sections

    def _unchanged(self) -> dict[str, bytes]:
        name, _, version = self.label.partition("_")
        setup = bytearray(2048)
        setup[:2], setup[0x202:0x206], setup[0x20E:0x210] = b"MZ", b"HdrS", struct.pack("<H", 0x300)
        said = f"{KERNEL} (somebody) #1 SMP".encode()
        setup[0x500 : 0x500 + len(said)] = said
        public = self.pcr.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            ".text": b"systemd-stub " * 50,
            ".sbat": b"sbat,1,SBAT Version,sbat,1\n",
            ".sdmagic": f"#### LoaderInfo: {self.stub} 262-1 ####".encode(),
            ".osrel": f'ID=debian\nNAME="Debian GNU/Linux"\nIMAGE_ID="{name}"\nIMAGE_VERSION="{version}"\n'.encode(),
            ".cmdline": self._command_line(self.arguments),
            ".uname": self.uname.encode(),
            ".pcrpkey": public,
            ".linux": bytes(setup),
            ".initrd": b"\x28\xb5\x2f\xfd" + b"initrd" * 200,
        }

    def _command_line(self, arguments: tuple[str, ...]) -> bytes:
        return " ".join((f"roothash={self.root_hash}", *arguments)).encode() + b"\0"

    def pcr_signatures(self, sections: dict[str, bytes], **changes: object) -> bytes:
        """What systemd-measure(1) writes: one signature a phase, and another over the first one."""
        order = [".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".uname", ".sbat", ".pcrpkey", ".profile"]
        register = bytes(32)
        for name in order:
            for measured in (name.encode() + b"\0", sections[name]) if name in sections else ():
                register = _sha256(register + _sha256(measured))
        entries = []
        for phase in ("enter-initrd", "leave-initrd", "sysinit", "ready"):
            register = _sha256(register + _sha256(phase.encode()))
            entries.append(self.signed_policy(register))
            if phase == "enter-initrd":
                initrd = self.signed_policy(register, "initrd")
        return json.dumps({"sha256": [*entries, initrd], **changes}).encode()

    def signed_policy(self, register: bytes, word: str = "") -> dict[str, object]:
        """A signature over the policy that PCR 11 has this value."""
        selection = bytes.fromhex("00000001000b03000800")
        policy = _sha256(bytes(32) + bytes.fromhex("0000017f") + selection + _sha256(register))
        covered = policy + (_sha256(word.encode()) if word else b"")
        signature = self.pcr.key.sign(covered, padding.PKCS1v15(), hashes.SHA256())
        public = self.pcr.key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        entry = {"pcrs": [11], "pkfp": _sha256(public).hex(), **({"ref": word} if word else {}), "pol": policy.hex()}
        return {**entry, "sig": base64.b64encode(signature).decode()}


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
