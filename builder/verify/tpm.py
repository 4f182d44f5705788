"""What a machine's TPM will hold when it has started an image: the values of PCR 4, 7 and 11 (SHA-256 bank).

A register begins as zeros, and each measurement makes it SHA-256(register + digest of what is measured).

    4    the programs that the firmware starts: "Calling EFI Application from Boot Option", a separator, the
         Authenticode digests of the boot loader and of the kernel image, and systemd's separator
    7    the state of Secure Boot: the variables SecureBoot, PK, KEK, db and dbx, a separator, the certificate that a
         program was accepted by, and systemd's separator
    11   the kernel image's sections, each with its name before it, then a word for each phase of the start

4 and 7 are the firmware's doing. What is predicted holds for one that starts the boot loader first of all, lists no
denied programs (dbx is not set), holds exactly the keys on the image, and finds no card with a program of its own.

Source: TCG PC Client Platform Firmware Profile 1.06, sections 3.3.4 and 10.4; systemd's TPM2_PCR_MEASUREMENTS.md;
TPM 2.0 Library part 3, TPM2_PolicyPCR.
"""

import hashlib
import struct
from collections.abc import Iterable, Mapping
from functools import reduce

from builder.keys.authvar import DB, EFI_GLOBAL_VARIABLE, EFI_IMAGE_SECURITY_DATABASE, KEK, PK, Variable
from builder.verify.formats.uki import MEASURED, Profile, UnifiedKernel

PCR_PROGRAMS, PCR_SECURE_BOOT, PCR_KERNEL = 4, 7, 11

# What systemd-pcrphase measures, in this order, and at the last the machine is up.
PHASES = ("enter-initrd", "leave-initrd", "sysinit", "ready")

_ZEROES = bytes(32)
_SEPARATOR = bytes(4)
# systemd-pcrosseparator.service(8): in the initrd it closes the registers that the firmware has used.
_OS_SEPARATOR = b"os-separator"
_CALLING = b"Calling EFI Application from Boot Option"
_SECURE_BOOT = Variable("SecureBoot", EFI_GLOBAL_VARIABLE)
_DBX = Variable("dbx", EFI_IMAGE_SECURITY_DATABASE)
_POLICY_PCR = struct.pack(">I", 0x0000017F)
# One selection: SHA-256, three bytes of bits, the bit of PCR 11.
_SELECTION = struct.pack(">IHB3s", 1, 0x000B, 3, (1 << PCR_KERNEL).to_bytes(3, "little"))


def programs(digests: Iterable[bytes]) -> bytes:
    """Return PCR 4 of a system that the firmware's programs with these Authenticode digests have started."""
    return _extended((_sha256(_CALLING), _sha256(_SEPARATOR), *digests, _sha256(_OS_SEPARATOR)))


def secure_boot(variables: Mapping[Variable, bytes], accepted_by: Iterable[bytes]) -> bytes:
    """Return PCR 7 for these contents of PK, KEK and db; `accepted_by` are the entries of db that programs rest on."""
    contents = {_SECURE_BOOT: b"\x01", PK: variables[PK], KEK: variables[KEK], DB: variables[DB], _DBX: b""}
    policy = [_sha256(_variable_data(variable, content)) for variable, content in contents.items()]
    authorities = [_sha256(_variable_data(DB, entry)) for entry in accepted_by]
    return _extended((*policy, _sha256(_SEPARATOR), *authorities, _sha256(_OS_SEPARATOR)))


def kernel_phases(kernel: UnifiedKernel, profile: Profile) -> dict[str, bytes]:
    """Return PCR 11 after each phase of a start with this profile, in their order."""
    value = _ZEROES
    for name in MEASURED:
        if name in profile.sections and profile.sections[name].size_bytes:
            content = hashlib.sha256()
            for chunk in kernel.chunks(profile.sections[name]):
                content.update(chunk)
            value = _extended((_sha256(name.encode() + b"\0"), content.digest()), value)
    values = {}
    for phase in PHASES:
        value = values[phase] = _extended((_sha256(phase.encode()),), value)
    return values


def policy_digest(value: bytes) -> bytes:
    """Return the digest of the policy "PCR 11 has this value", which is what the owner signs."""
    return _sha256(_ZEROES + _POLICY_PCR + _SELECTION + _sha256(value))


def _extended(digests: Iterable[bytes], value: bytes = _ZEROES) -> bytes:
    return reduce(lambda register, digest: _sha256(register + digest), digests, value)


def _variable_data(variable: Variable, content: bytes) -> bytes:
    """Return the structure UEFI_VARIABLE_DATA: GUID, the two lengths, the name, the content."""
    name = variable.name.encode("utf-16-le")
    return variable.vendor.bytes_le + struct.pack("<QQ", len(variable.name), len(content)) + name + content


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
