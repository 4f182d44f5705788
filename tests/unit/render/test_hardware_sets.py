"""A builder composes a machine from sets: each brings its drivers, packages and archive, with nothing of the others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.profile import load_profile
from builder.render import OVERLAYS_DIR, RenderPlan, render

Compose = Callable[[str], RenderPlan]

HEADER = "schema: 1\nname: box\ndescription: A test's own\nextends: base\n"


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    """Render a profile that says this of its hardware."""

    def composed(says: str) -> RenderPlan:
        (tmp_path / "box.yaml").write_text(HEADER + says)
        return render(load_profile(str(tmp_path / "box.yaml")), OVERLAYS_DIR)

    return composed


def settings(plan: RenderPlan, key: str) -> list[str]:
    """Return the values of a list in mkosi.conf; none if it is not there."""
    text = next(file.content.decode() for file in plan.files if file.path == "mkosi.conf")
    _, found, rest = text.partition(f"\n{key}=\n")
    indented = (line for line in rest.splitlines())
    values = []
    for line in indented:
        if not line.startswith("    "):
            break
        values.append(line.strip().partition("  # ")[0])
    return values if found else []


def paths(plan: RenderPlan) -> set[str]:
    return {file.path for file in plan.files}


DROP_IN = "mkosi.extra/usr/lib/systemd/system/claudine-runtime@.service.d/50-vulkan.conf"


def test_a_machine_in_ten_lines(compose: Compose) -> None:
    plan = compose(
        "hardware:\n"
        "  drivers: [storage, intel-graphics]\n"
        "  firmware: [intel-graphics, intel-microcode]\n"
        "  gpu: vulkan\n"
    )
    assert {"nvme", "ahci", "i915", "xe"} <= set(settings(plan, "KernelModules"))
    assert "nvme" in settings(plan, "KernelInitrdModules")
    packages = settings(plan, "Packages")
    assert {"firmware-intel-graphics", "intel-microcode", "mesa-vulkan-drivers"} <= set(packages)
    assert not {"amdgpu", "firmware-amd-graphics", "amd64-microcode"} & {*packages, *settings(plan, "KernelModules")}


def test_only_who_wants_firmware_installs_from_where_it_is(compose: Compose) -> None:
    free = compose("hardware: {drivers: [storage, intel-graphics]}\n")
    assert (free.components, settings(free, "Repositories")) == ((), [])
    plan = compose("hardware: {firmware: [intel-microcode, amd-microcode]}\n")
    assert (plan.components, settings(plan, "Repositories")) == (("non-free-firmware",), ["non-free-firmware"])


def test_a_profile_can_take_a_module_out_of_a_set(compose: Compose) -> None:
    modules = settings(compose("hardware: {drivers: [storage], kernel_modules: [-vmd]}\n"), "KernelModules")
    # For mkosi, the last one that fits decides.
    assert modules.index("vmd") < modules.index("-vmd")


def test_what_a_set_needs_in_the_initrd_is_in_the_image_as_well(compose: Compose) -> None:
    plan = compose("hardware: {drivers: [storage, board, watchdog]}\n")
    assert set(settings(plan, "KernelInitrdModules")) <= set(settings(plan, "KernelModules"))


@pytest.mark.parametrize(("gpu", "wanted"), [("none", None), ("vulkan", b"vulkan\n")])
def test_the_image_says_what_the_model_should_be_computed_on(compose: Compose, gpu: str, wanted: bytes | None) -> None:
    plan = compose(f"hardware: {{gpu: {gpu}}}\n")
    told = {file.path: file.content for file in plan.files}.get("mkosi.extra/usr/share/claudine/gpu")
    assert told == wanted
    assert (DROP_IN in paths(plan)) == (gpu == "vulkan")


@pytest.mark.parametrize(("device", "lines"), [("null", []), ("Vulkan1", ["Environment=LLAMA_ARG_DEVICE=Vulkan1"])])
def test_one_graphics_card_of_several_can_be_chosen(compose: Compose, device: str, lines: list[str]) -> None:
    plan = compose(f"hardware: {{gpu: vulkan, gpu_device: {device}}}\n")
    drop_in = next(file.content.decode() for file in plan.files if file.path == DROP_IN)
    assert [line for line in drop_in.splitlines() if "LLAMA_ARG_DEVICE" in line] == lines


def test_a_graphics_card_changes_nothing_else_of_the_servers_sandbox(compose: Compose) -> None:
    drop_in = next(file.content.decode() for file in compose("hardware: {gpu: vulkan}\n").files if file.path == DROP_IN)
    service = drop_in.partition("[Service]\n")[2].splitlines()
    keys = {line.partition("=")[0] for line in service if line and not line.startswith("#")}
    assert keys == {"PrivateDevices", "DeviceAllow", "SupplementaryGroups", "Environment"}


@pytest.mark.parametrize(
    ("says", "place", "hint"),
    [
        ("hardware: {drivers: [storage, bord]}\n", r"box\.yaml:5:31", "hardware-board"),
        ("hardware: {firmware: [intel-grafics]}\n", r"box\.yaml:5:23", "firmware-intel-graphics"),
    ],
)
def test_a_set_that_does_not_exist_is_told_where_it_is_asked_for(
    compose: Compose, says: str, place: str, hint: str
) -> None:
    with pytest.raises(BuilderError, match=f"(?s){place}.*there is no overlay.*{hint}"):
        compose(says)


SHIPPED = ("mini-pc", "mini-pc-headless", "mini-pc-big-memory")


@pytest.mark.parametrize("name", SHIPPED)
def test_no_set_brings_a_driver_for_a_network(name: str) -> None:
    """The network's own claim, that none is in the image, is about what is rendered too."""
    modules = settings(render(load_profile(name), OVERLAYS_DIR), "KernelModules")
    assert not [module for module in modules if "net" in module.split("/") or "bluetooth" in module]


@pytest.mark.parametrize("name", SHIPPED)
def test_real_machines_have_no_door_for_virtual_ones(name: str) -> None:
    """With dmi-sysfs, credentials of a virtual machine can start a root shell: docs/security.md."""
    modules = settings(render(load_profile(name), OVERLAYS_DIR), "KernelModules")
    assert not [module for module in modules if "virtio" in module or module == "dmi-sysfs"]


def test_the_profiles_differ_in_what_their_names_say() -> None:
    plain, headless, big = (render(load_profile(name), OVERLAYS_DIR) for name in SHIPPED)
    arguments = [set(settings(plan, "KernelCommandLine")) for plan in (plain, headless, big)]
    assert arguments[1] - arguments[0] == {"console=ttyS0,115200"}
    assert arguments[2] - arguments[0] == {"ttm.pages_limit=29360128"}
    assert paths(plain) == paths(big)


@pytest.mark.parametrize(("profile", "taken"), [("qemu", True), ("mini-pc", False), ("mini-pc-headless", False)])
def test_nobody_hands_a_real_machine_what_to_start_as_root(profile: str, taken: bool) -> None:
    arguments = settings(render(load_profile(profile), OVERLAYS_DIR), "KernelCommandLine")
    assert ("systemd.import_credentials=no" in arguments) is not taken
