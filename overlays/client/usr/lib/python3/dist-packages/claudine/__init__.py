"""Claudine, the client of a ClaudineOS machine.

    the model          ``runtime`` asks llama-server, ``protocol`` reads what it streams, ``stop`` ends it
    a conversation     ``conversation`` (a message, and what is chosen), ``tree`` (all messages with their branches),
                       ``record`` (the one that a console is in, saved as it grows), ``store`` (all, on the disk)
    answering          ``talk`` goes on with the record; ``prompt`` is what the model gets to read of it, ``reply`` an
                       answer in the making, ``answer`` what a face hears of it, ``trace`` what is known of it
                       afterwards, ``room`` what is left out when it does not fit
    the machine        ``state`` asks the service that runs as root, ``settings`` are what its owner chose, ``stick`` is
                       a USB stick's files, ``health`` how it is, ``image`` and ``model`` what it was built from
    proof              ``proof`` checks, with ``facts`` (what this process sees of its network), ``evidence`` (what root
                       sees) and ``attempt`` (to reach something outside)
    text               ``text`` (safe to show), ``code`` (an answer's code blocks), ``qr``
    what is asked for  ``commands``, each written once, against ``face.Face``; ``scripts`` without a conversation
    faces              ``plain`` (flat text: serial lines, screen readers, pipes), ``screen`` (the whole terminal)
    voice              everything that Claudine says by herself
    defaults, durable  values until somebody gives others; files whole or not at all

Nothing above ``commands`` prints or asks. The faces never speak HTTP or SQL.
"""

import sys

# httpx imports its own command line, and with it click, rich and pygments: as much again as all the rest of it, and
# seconds under emulation. None keeps a module out; httpx is prepared for that.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
