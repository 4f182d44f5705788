"""From an image to the people and machines that it is for. Takes files and evidence, never a profile."""
