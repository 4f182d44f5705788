"""Where each line of a rendered tree comes from: a profile, an overlay, or the builder itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from builder.errors import BuilderError, Location
from builder.profile.nearest import nearest
from builder.render.configuration import INDENT
from builder.render.plan import RenderedFile, RenderPlan


@dataclass(frozen=True)
class ExplainedLine:
    """One line of the tree. `setting` is the key it belongs to; `origin` is None for what the builder decides.

    A file that an overlay supplies is explained as a whole: it has number 0 and no text.
    """

    path: str
    number: int
    text: str
    setting: str
    origin: Location | None


def explain(plan: RenderPlan, wanted: str | None = None) -> list[ExplainedLine]:
    """Explain all lines, or those of one setting, of one value, or of one file; raises BuilderError if there is none.

    Lines that say nothing by themselves (comments, sections, the head of a list) are left out.
    """
    lines = [line for file in plan.files for line in _explained(file)]
    if wanted is None:
        return lines
    found = [line for line in lines if wanted.lower() in (line.setting.lower(), line.text.lower(), line.path.lower())]
    found = found or [line for line in lines if wanted.lower() in line.text.lower() or wanted in line.path]
    if not found:
        settings = {line.setting for line in lines if line.setting}
        raise BuilderError(
            f"nothing in the rendered configuration is called {wanted!r}",
            hint=nearest(wanted, settings, what="Settings"),
        )
    return found


def _explained(file: RenderedFile) -> Iterator[ExplainedLine]:
    if file.from_overlay:
        yield ExplainedLine(file.path, 0, "", "", file.origins[0])
        return
    setting = ""
    for number, (text, origin) in enumerate(zip(file.content.decode().splitlines(), file.origins, strict=True), 1):
        if not text or text.startswith(("#", "[")):
            continue
        key, is_pair, value = text.partition("=")
        if text.startswith(INDENT):
            yield ExplainedLine(file.path, number, text.strip().partition("  # ")[0], setting, origin)
        elif not is_pair:
            yield ExplainedLine(file.path, number, text, "", origin)
        else:
            setting = key
            if value:
                yield ExplainedLine(file.path, number, value, setting, origin)
