"""Rendering: a pure function from a profile to a tree of mkosi configuration.

mkosi.conf            packages, kernel command line, signing
mkosi.initrd.conf     what the initrd does without
mkosi.repart/         the partitions
model.repart/         the model's partition, which is added last
mkosi.uki-profiles/   other ways to start the image
mkosi.initrd.extra/   the overlays' files below initrd/, laid over the initrd's root
mkosi.extra/          the overlays' other files, laid over the image's root
"""

from builder.render.explain import ExplainedLine, explain
from builder.render.overlay import OVERLAYS_DIR
from builder.render.plan import RenderedFile, RenderPlan, render
from builder.render.write import write_plan

__all__ = ["OVERLAYS_DIR", "ExplainedLine", "RenderPlan", "RenderedFile", "explain", "render", "write_plan"]
