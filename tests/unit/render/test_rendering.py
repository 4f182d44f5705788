"""Rendering, seen from a builder who writes overlays and profiles."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.profile import ResolvedProfile, load_profile
from builder.render import RenderPlan, explain, render, write_plan

Overlays = Mapping[str, str]
Render = Callable[[Overlays], RenderPlan]


@pytest.fixture
def resolved() -> ResolvedProfile:
    """The shipped base profile; its overlays are replaced by the test's own."""
    return load_profile("base")


@pytest.fixture
def render_overlays(tmp_path: Path, resolved: ResolvedProfile) -> Render:
    """Render with overlays given as file contents by path; all of base's overlays exist, empty by default."""

    def render_with(files: Overlays) -> RenderPlan:
        described = {f"{name}/overlay.yaml": "description: Empty.\n" for name in resolved.profile.overlays}
        for name, text in {**described, **files}.items():
            path = tmp_path / "overlays" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return render(resolved, tmp_path / "overlays")

    return render_with


def content(plan: RenderPlan, path: str) -> str:
    return next(file.content.decode() for file in plan.files if file.path == path)


def test_packages_carry_their_reasons(render_overlays: Render) -> None:
    plan = render_overlays({"base/overlay.yaml": "description: D.\npackages:\n  kmod: loads modules\n"})
    assert "Packages=\n    kmod  # loads modules\n" in content(plan, "mkosi.conf")


def test_only_named_units_start(render_overlays: Render) -> None:
    plan = render_overlays({"base/overlay.yaml": "description: D.\nunits:\n  a.service: because\n"})
    preset = content(plan, "mkosi.extra/usr/lib/systemd/system-preset/00-claudineos.preset")
    assert preset.endswith("# because\nenable a.service\ndisable *\n")


ENTRY = """description: D.
boot_entries:
  look:
    title: Look around
    kernel_arguments:
      systemd.unit=look.target: starts nothing else
"""


def test_another_way_to_start_has_its_own_arguments_and_does_not_get_the_key_of_the_disk(
    render_overlays: Render,
) -> None:
    plan = render_overlays({"base/overlay.yaml": ENTRY})
    entry = content(plan, "mkosi.uki-profiles/look.conf")
    assert "[UKIProfile]\nProfile=\n    ID=look\n    TITLE=Look around\n" in entry
    assert "    systemd.unit=look.target  # starts nothing else\n" in entry
    assert "SignExpectedPcr=no\n" in entry
    assert "systemd.unit" not in content(plan, "mkosi.conf")


def test_a_plan_knows_the_command_line_of_each_way_to_start_and_the_boot_menu(render_overlays: Render) -> None:
    base = "description: D.\nkernel_arguments: {quiet: r, ro: r}\n"
    entry = "description: D.\nboot_entries: {look: {title: Look, kernel_arguments: {quiet: r, audit=1: r}}}\n"
    files = {"base/overlay.yaml": base, "state/overlay.yaml": entry, "base/efi/loader/loader.conf": "editor no\n"}
    plan = render_overlays(files)
    usual = ("quiet", "ro", "systemd.import_credentials=no", "console=tty0")
    assert plan.command_lines == {"main": usual, "look": (*usual, "quiet", "audit=1")}
    assert plan.boot_menu == "editor no\n"
    assert render_overlays({"base/efi/loader/loader.conf": ""}).boot_menu == ""


def test_templates_see_the_profile_and_other_files_are_left_alone(render_overlays: Render) -> None:
    plan = render_overlays({"base/etc/a.j2": "{{ image.version }}\n", "base/etc/b": "{{ image.version }}\n"})
    assert content(plan, "mkosi.extra/etc/a") == "0.1.0\n"
    assert content(plan, "mkosi.extra/etc/b") == "{{ image.version }}\n"


def test_names_of_files_see_the_profile_as_well(render_overlays: Render) -> None:
    plan = render_overlays({"base/etc/{{ image.id }}.d/a": "", "base/etc/{{ image.id }}.d/b.j2": ""})
    assert {"mkosi.extra/etc/claudineos.d/a", "mkosi.extra/etc/claudineos.d/b"} <= {file.path for file in plan.files}


def test_modes_are_normalised(render_overlays: Render, tmp_path: Path) -> None:
    render_overlays({"base/usr/bin/a": "", "base/etc/b": ""})
    (tmp_path / "overlays/base/usr/bin/a").chmod(0o700)
    (tmp_path / "overlays/base/etc/b").chmod(0o666)
    modes = {file.path: file.mode for file in render_overlays({}).files}
    assert (modes["mkosi.extra/usr/bin/a"], modes["mkosi.extra/etc/b"]) == (0o755, 0o644)


def test_a_replacing_overlay_wins_if_it_says_so(render_overlays: Render) -> None:
    plan = render_overlays(
        {
            "base/etc/motd": "old",
            "client/etc/motd": "new",
            "client/overlay.yaml": "description: D.\nreplaces:\n  etc/motd: says more\n",
        }
    )
    assert content(plan, "mkosi.extra/etc/motd") == "new"


BAD_OVERLAYS = [
    ({"base/overlay.yaml": "packages: {}\n"}, ["base/overlay.yaml", "description is missing"]),
    ({"base/overlay.yaml": "description: D.\npackage: {}\n"}, ["base/overlay.yaml:2:1", "packages"]),
    ({"base/overlay.yaml": "description: D.\npackages: [kmod]\n"}, ["base/overlay.yaml:2:11", "mapping"]),
    ({"base/overlay.yaml": "description: D.\npackages:\n  kmod:\n"}, ["base/overlay.yaml:3"]),
    ({"base/overlay.yaml": ENTRY.replace("Look around", "'Look \"around\"'")}, ["base/overlay.yaml:4", "title"]),
    ({"base/etc/a.j2": "{{ imge.version }}"}, ["base/etc/a.j2", "imge"]),
    ({"base/etc/a.j2": "x\n{% if %}"}, ["base/etc/a.j2:2"]),
    ({"base/etc/a.j2": "{{ 1 / 0 }}"}, ["base/etc/a.j2", "the template fails"]),
    ({"base/etc/a": "", "client/etc/a/b": ""}, ["overlay client has a directory /etc/a", "overlay base"]),
    ({"base/etc/a": "", "client/etc/a": ""}, ["overlay client writes /etc/a", "replaces: {etc/a: why}"]),
    (
        {"client/overlay.yaml": "description: D.\nreplaces:\n  etc/a: why\n"},
        ["client/overlay.yaml:3", "no file etc/a"],
    ),
    (
        {
            "base/overlay.yaml": "description: D.\nkernel_arguments:\n  lockdown=integrity: a\n",
            "client/overlay.yaml": "description: D.\nkernel_arguments:\n  lockdown=none: b\n",
        },
        ["client/overlay.yaml:3", "lockdown=none", "contradicts lockdown=integrity", "base/overlay.yaml:3"],
    ),
]


@pytest.mark.parametrize(("files", "told"), BAD_OVERLAYS)
def test_bad_overlays_are_refused_with_their_place(render_overlays: Render, files: Overlays, told: list[str]) -> None:
    with pytest.raises(BuilderError) as caught:
        render_overlays(files)
    assert [part for part in told if part not in str(caught.value)] == []


def test_links_in_an_overlay_are_refused(render_overlays: Render, tmp_path: Path) -> None:
    render_overlays({"base/etc/a": ""})
    (tmp_path / "overlays/base/etc/link").symlink_to("a")
    with pytest.raises(BuilderError, match="regular files only"):
        render_overlays({})


def test_what_running_the_client_leaves_behind_is_not_in_the_image(render_overlays: Render) -> None:
    plan = render_overlays({"client/usr/lib/a.py": "", "client/usr/lib/__pycache__/a.cpython-311.pyc": "x"})
    assert [file.path for file in plan.files if "pycache" in file.path] == []


def test_a_missing_overlay_is_told_with_the_nearest_name(resolved: ResolvedProfile, tmp_path: Path) -> None:
    (tmp_path / "bas").mkdir()
    (tmp_path / "bas/overlay.yaml").write_text("description: D.\n")
    with pytest.raises(BuilderError, match=r"profiles/base.yaml:\d+.*no overlay 'base'(?s:.*)bas\?"):
        render(resolved, tmp_path)


def cache_key(plan: RenderPlan) -> str:
    return next(line for line in content(plan, "mkosi.conf").splitlines() if line.startswith("CacheKey="))


def test_installed_packages_are_reused_until_the_packages_change(render_overlays: Render) -> None:
    first = render_overlays({})
    argument = "description: D.\nkernel_arguments:\n  quiet: why\n"
    package = "description: D.\npackages:\n  kmod: why\n"
    assert cache_key(render_overlays({"base/overlay.yaml": argument})) == cache_key(first)
    assert cache_key(render_overlays({"base/overlay.yaml": package})) != cache_key(first)


def test_every_edit_changes_the_digest(render_overlays: Render) -> None:
    first = render_overlays({"base/etc/a": "1"}).digest
    assert render_overlays({"base/etc/a": "1"}).digest == first
    assert render_overlays({"base/etc/a": "2"}).digest != first


def test_explain_names_the_line_that_a_person_wrote(render_overlays: Render) -> None:
    plan = render_overlays({"base/overlay.yaml": "description: D.\nkernel_arguments:\n  quiet: why\n"})
    (line,) = explain(plan, "quiet")
    assert (line.path, line.setting) == ("mkosi.conf", "KernelCommandLine")
    assert str(line.origin).endswith("base/overlay.yaml:3:3")
    (release,) = explain(plan, "release")
    assert "profiles/base.yaml:" in str(release.origin)
    with pytest.raises(BuilderError, match="Did you mean Release"):
        explain(plan, "Relase")


def test_a_plan_replaces_the_last_one_and_nothing_else(render_overlays: Render, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write_plan(render_overlays({"base/etc/a": "1"}), tree)
    (tree / "stale").touch()
    write_plan(render_overlays({"base/etc/a": "2"}), tree)
    assert (tree / "mkosi.extra/etc/a").read_text() == "2"
    assert not (tree / "stale").exists()
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").touch()
    with pytest.raises(BuilderError, match="not a rendered tree"):
        write_plan(render_overlays({}), tmp_path / "home")
    # Another mkosi project is not ours either.
    (tmp_path / "home/mkosi.conf").write_text("[Output]\n")
    with pytest.raises(BuilderError, match="not a rendered tree"):
        write_plan(render_overlays({}), tmp_path / "home")
    assert (tmp_path / "home/letter").exists()
    with pytest.raises(BuilderError, match="not a rendered tree"):
        write_plan(render_overlays({}), tmp_path / "home/letter")
