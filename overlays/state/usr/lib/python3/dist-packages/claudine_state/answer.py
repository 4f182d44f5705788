"""The one line of JSON that goes back over a connection."""

import json
import os
import sys
from collections.abc import Mapping

Answer = Mapping[str, object]


def send(target: int, answer: Answer) -> None:
    """Write *answer* to *target*. Whoever has hung up meanwhile goes without, with a line in the journal."""
    data = json.dumps(answer).encode() + b"\n"
    try:
        while data:
            data = data[os.write(target, data) :]
    except OSError as error:
        print(f"The other end did not wait for its answer: {error}", file=sys.stderr)
