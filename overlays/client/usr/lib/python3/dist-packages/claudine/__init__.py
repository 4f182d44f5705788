"""Claudine, the client of a ClaudineOS machine.

    core       ``runtime`` and ``protocol`` (the model), ``talk`` (a conversation that goes on), ``record`` and
               ``store`` (what is kept), ``state`` (the service that looks after the machine). It never prints.
    commands   what a person can ask for, each written once, against ``face.Face``
    plain      the face of flat text, for serial lines, screen readers and scripts
    screen     the face that has the whole terminal
    voice      everything that Claudine says by herself

The faces never speak HTTP or SQL.
"""

import sys

# httpx imports its own command line, and with it click, rich and pygments: as much again as all the rest of it, and
# seconds under emulation. None keeps a module out; httpx is prepared for that.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
