"""The groups of checks: pytest markers of the same names. tests/image/conftest.py says which file is in which."""

GROUPS = {
    "main": "the image as it ships, on one machine that all these checks share",
    "network": "an image with a driver for its network card, to see what holds when that wall is gone",
    "faults": "machines with something broken, each on a disk of its own",
}
# Each fault costs a boot or two.
DEFAULT_GROUPS = ("main", "network")
