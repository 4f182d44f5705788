"""Models: from a file that somebody made to a checked catalogue entry, and from there to a signed model image.

read_facts(path)                                    # what a GGUF file says, or why it is refused
add_model(…)                                        # a catalogue entry for a file or an address
build_model_image(entry, keys, toolchain)           # the signed image
"""

from builder.model.ddi import ModelImage, build_model_image, model_image_digest
from builder.model.facts import ModelFacts, read_facts

__all__ = ["ModelFacts", "ModelImage", "build_model_image", "model_image_digest", "read_facts"]
