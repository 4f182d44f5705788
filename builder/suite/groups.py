"""The groups of checks: pytest markers of the same names. tests/image/conftest.py says which file is in which."""

GROUPS = {
    "main": "the image as it ships, on one machine that all these checks share",
    "walls": "the same image with programs added that try its walls",
    "faults": "machines with something broken, each on a disk of its own",
}
# Each fault costs a boot or two.
DEFAULT_GROUPS = ("main", "walls")
