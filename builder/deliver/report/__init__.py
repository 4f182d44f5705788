"""One page that shows an image to a person: what starts it, what is in it, and what was found when it was checked.

    inputs = read_inputs(image, evidence, artifacts, test_report)
    Path("report.html").write_bytes(render_page(inputs))

The page needs no other file, no script and no network, and equal inputs give equal bytes. What it shows of the image
was written by whoever made the image: everything is escaped, and characters that change how a line reads are spelt out.
"""

from builder.deliver.report.inputs import Inputs, read_inputs
from builder.deliver.report.page import render_page

__all__ = ["Inputs", "read_inputs", "render_page"]
