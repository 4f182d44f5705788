"""What leaves the builder: an image onto a disk, and the evidence onto a page."""
