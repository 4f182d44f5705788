"""What a profile and its overlays mean in mkosi's terms: `mkosi.conf` and `mkosi.initrd.conf`.

Nothing of the host is in here: paths, keys and the mirror are arguments of the build. So the same profile gives the
same tree everywhere.
"""

import hashlib
import uuid

from builder.errors import BuilderError
from builder.profile.kernel import argument_name
from builder.profile.load import ResolvedProfile
from builder.profile.model import Profile
from builder.profile.syntax import KeyPath
from builder.render.configuration import Item, Line, Setting, lines, several, single
from builder.render.overlay import FINALIZE_INITRD, Overlay

# How the rendered mkosi.conf begins; a directory without it is never replaced.
TITLE = "Rendered from the profile"

# The files that overlays add to the initrd.
INITRD_TREE = "mkosi.initrd.extra"

# The namespace of the ids that systemd-repart derives for partitions and file systems.
SEED_NAMESPACE = uuid.UUID("6f1c4e0a-2b64-5c0f-9d0e-0a7d1c5a3b11")


def seed(profile: Profile) -> str:
    """Return what systemd-repart derives the image's ids from."""
    return str(uuid.uuid5(SEED_NAMESPACE, profile.image.label))


def image_configuration(resolved: ResolvedProfile, overlays: tuple[Overlay, ...]) -> list[Line]:
    """Render `mkosi.conf`."""
    profile = resolved.profile
    title = f"{TITLE} {profile.name}: {profile.description}"
    return lines(title, {**_sections(resolved, overlays), "Build": _build(cache_key(resolved, overlays))})


def cache_key(resolved: ResolvedProfile, overlays: tuple[Overlay, ...]) -> str:
    """Digest of the settings that shape the tree of installed packages; mkosi names the trees in its cache by it."""
    shaping = [
        f"{section}.{setting.key}={[item.text for item in setting.items]}"
        for section, settings in _sections(resolved, overlays).items()
        for setting in settings
        if setting.items and setting.key not in _AFTER_CACHE
    ]
    return hashlib.sha256("\n".join(shaping).encode()).hexdigest()[:16]


def _sections(resolved: ResolvedProfile, overlays: tuple[Overlay, ...]) -> dict[str, list[Setting]]:
    return {
        "Distribution": _distribution(resolved, overlays),
        "Output": _output(resolved),
        "Content": _content(resolved, overlays),
        "Validation": _VALIDATION,
    }


def initrd_configuration(overlays: tuple[Overlay, ...]) -> list[Line]:
    """Render `mkosi.initrd.conf`, which adds to mkosi's own initrd."""
    content = [
        several(
            "RemoveFiles",
            _from_overlays(overlays, "remove_initrd_files"),
            "The firmware reads all of this before the kernel starts, at a few megabytes a second.",
        ),
        single("ExtraTrees", INITRD_TREE, "The overlays' files for it."),
        several(
            "FinalizeScripts",
            [
                Item(f"mkosi.{script.target}.d/{overlay.name}")
                for overlay in overlays
                for script in overlay.scripts
                if script.target == FINALIZE_INITRD
            ],
        ),
    ]
    return lines("The initrd finds the root, checks it and mounts it; nothing else.", {"Content": content})


def _distribution(resolved: ResolvedProfile, overlays: tuple[Overlay, ...]) -> list[Setting]:
    return [
        single("Distribution", "debian"),
        _of(resolved, "Release", ("distribution", "release")),
        _of(resolved, "Architecture", ("hardware", "architecture")),
        several("Repositories", _from_overlays(overlays, "components"), "Beside main."),
    ]


def _output(resolved: ResolvedProfile) -> list[Setting]:
    return [
        single("Format", "disk"),
        _of(resolved, "ImageId", ("image", "id")),
        _of(resolved, "ImageVersion", ("image", "version")),
        single("ManifestFormat", "json", "The list of packages."),
        single("SplitArtifacts", "uki,roothash", "Beside the disk image, for who checks or updates."),
        single("Seed", seed(resolved.profile), "Every build derives the same ids."),
    ]


def _content(resolved: ResolvedProfile, overlays: tuple[Overlay, ...]) -> list[Setting]:
    profile = resolved.profile
    epoch = str(profile.image.source_date_epoch)
    return [
        several("Packages", [*_from_overlays(overlays, "packages"), *_from_profile(resolved, ("packages",))]),
        single("WithRecommends", "no", "Nothing is in the image but what is named, and what that depends on."),
        single("WithDocs", "no", "Copyright files stay."),
        single("CleanPackageMetadata", "yes", "The image has no package manager."),
        single("Locale", "C.UTF-8"),
        single("SourceDateEpoch", epoch, "No file is newer.", resolved.origins.get(("image", "source_date"))),
        single("Bootable", "yes"),
        single("Bootloader", "systemd-boot"),
        single("UnifiedKernelImageFormat", "%i_%v", "One kernel image a version, named like its root."),
        several(
            "KernelCommandLine",
            [*_kernel_arguments(resolved, overlays), *_from_profile(resolved, ("boot", "console"), prefix="console=")],
            "Signed with the kernel: nobody can change it at boot.",
        ),
        several("KernelModules", _modules(resolved, overlays, "kernel_modules")),
        several("KernelInitrdModules", _modules(resolved, overlays, "initrd_modules")),
        several("FirmwareFiles", _from_overlays(overlays, "firmware_files"), "Beside what the modules ask for."),
        several("InitrdPackages", _from_overlays(overlays, "initrd_packages")),
        several("RemoveFiles", _from_overlays(overlays, "remove_files")),
    ]


def _modules(resolved: ResolvedProfile, overlays: tuple[Overlay, ...], section: str) -> list[Item]:
    """Collect modules; the profile's come last, so that it can take out what an overlay's set brings."""
    return [*_from_overlays(overlays, section), *_from_profile(resolved, ("hardware", section))]


def _kernel_arguments(resolved: ResolvedProfile, overlays: tuple[Overlay, ...]) -> list[Item]:
    """Collect the arguments of overlays and profile; the kernel would silently obey the last of two that differ."""
    import_credentials = ("boot", "import_credentials")
    no_credentials = Item("systemd.import_credentials=no", origin=resolved.origins.get(import_credentials))
    arguments = [
        *_from_overlays(overlays, "kernel_arguments"),
        *(() if resolved.profile.boot.import_credentials else (no_credentials,)),
        *_from_profile(resolved, ("boot", "kernel_arguments")),
    ]
    first: dict[str, Item] = {}
    for argument in arguments:
        earlier = first.setdefault(argument_name(argument.text), argument)
        if earlier.text != argument.text:
            raise BuilderError(
                f"the kernel argument {argument.text} contradicts {earlier.text} of {earlier.origin}",
                hint="Keep one of them",
                location=argument.origin,
            )
    return arguments


_VALIDATION = [
    single("SecureBoot", "yes", "Sign systemd-boot and the kernel image."),
    single("SecureBootAutoEnroll", "no", "The owner's enrolment files come with the keys."),
    single("Verity", "signed", "Sign the root hash, and put the signature into a partition."),
    single("SignExpectedPcr", "yes", "Sign what the TPM's PCR 11 will hold, for secrets sealed to this image."),
]


def _build(key: str) -> list[Setting]:
    return [
        single("Incremental", "yes", "Keep the tree of installed packages between builds."),
        single("CacheKey", f"&d~&r~&a~&I~{key}", "mkosi would keep using it after these settings change."),
    ]


# What mkosi applies only after it has saved or reused the tree of installed packages.
_AFTER_CACHE = {
    *("KernelCommandLine", "KernelModules", "KernelInitrdModules", "FirmwareFiles", "RemoveFiles"),
    "UnifiedKernelImageFormat",
    *("ManifestFormat", "SplitArtifacts", "Seed", "ImageId", "ImageVersion", "CleanPackageMetadata"),
}


def _of(resolved: ResolvedProfile, key: str, path: KeyPath) -> Setting:
    """Make a setting that is one value of the profile."""
    section, field = path
    return single(
        key, str(getattr(getattr(resolved.profile, str(section)), str(field))), origin=resolved.origins.get(path)
    )


def _from_overlays(overlays: tuple[Overlay, ...], section: str) -> list[Item]:
    return [
        Item(listed.thing, listed.reason, listed.location) for overlay in overlays for listed in overlay.listed(section)
    ]


def _from_profile(resolved: ResolvedProfile, path: KeyPath, prefix: str = "") -> list[Item]:
    """Make the items of a list in the profile."""
    entries = _value(resolved, path)
    assert isinstance(entries, tuple)
    return [
        Item(f"{prefix}{entry}", origin=resolved.origins.get((*path, index))) for index, entry in enumerate(entries)
    ]


def _value(resolved: ResolvedProfile, path: KeyPath) -> object:
    value: object = resolved.profile
    for part in path:
        value = getattr(value, str(part))
    return value
