"""Claudine, the client of a ClaudineOS machine.

A core without a user interface (``text``, ``protocol``, ``runtime``, ``conversation``, ``store``, ``record``,
``state``, ``qr``) and faces on top of it (``lines`` for a conversation, ``machine`` for the recovery key and the disk,
``ask`` for one question in a script). The core never prints, the faces never speak HTTP, and everything that Claudine
says by herself stands in ``voice`` or in the errors of ``protocol``.
"""

import sys

# httpx imports its own command line, and with it click, rich and pygments: as much again as all the rest of it, and
# seconds under emulation. None keeps a module out; httpx is prepared for that.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
