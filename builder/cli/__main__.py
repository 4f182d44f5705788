"""`python -m builder.cli`, the same as `claudineos`."""

from builder.cli import main

main()
