"""The groups of checks: pytest markers of the same names. tests/image/conftest.py says which file is in which."""

GROUPS = {
    "main": "the image as it ships, on one machine that all these checks share",
    "network": "an image with a driver for its network card, to see what holds when that wall is gone",
    "hardware": "the image for mini-PCs, on the controllers, keyboards, TPMs and firmware settings of real ones",
    "faults": "machines with something broken, each on a disk of its own",
}
# Each fault costs a boot or two, and each controller one.
DEFAULT_GROUPS = ("main", "network")
