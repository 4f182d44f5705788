"""The rendered trees, whole: a change in what the builder writes is seen in review.

After a change that is meant: `python tests/golden/test_golden.py` writes the trees anew, and git shows the difference.
"""

from pathlib import Path

import pytest

from builder.profile import load_profile
from builder.render import OVERLAYS_DIR, RenderPlan, render

GOLDEN = Path(__file__).parent
PROFILES = ("qemu",)


def rendered_configuration(profile: str) -> dict[str, str]:
    """Return what the builder writes itself; files copied from overlays are there to be read already."""
    plan: RenderPlan = render(load_profile(profile), OVERLAYS_DIR)
    templates = {file.path for file in plan.files if file.origins[0] and file.origins[0].path.suffix == ".j2"}
    return {file.path: file.content.decode() for file in plan.files if not file.from_overlay or file.path in templates}


def golden_configuration(profile: str) -> dict[str, str]:
    tree = GOLDEN / profile
    return {path.relative_to(tree).as_posix(): path.read_text() for path in tree.rglob("*") if path.is_file()}


@pytest.mark.parametrize("profile", PROFILES)
def test_rendered_configuration_is_as_reviewed(profile: str) -> None:
    assert rendered_configuration(profile) == golden_configuration(profile), (
        "if this is meant: python tests/golden/test_golden.py"
    )


def regenerate() -> None:
    for profile in PROFILES:
        for path in (GOLDEN / profile).rglob("*"):
            if path.is_file():
                path.unlink()
        for name, text in rendered_configuration(profile).items():
            target = GOLDEN / profile / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


if __name__ == "__main__":
    regenerate()
