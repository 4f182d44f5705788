"""How much of a machine's memory a model gets, and how long a conversation that leaves room for.

needs = read_needs(json.load(file))                         # the image's model.json
choose_context(needs, memory_bytes, 2048)                   → 2048; 0 if the model does not fit
"""

# For the system, the client and what comes: claudine-runtime-generator limits the server to the rest.
REST_BYTES = 1 << 30
# Fewer tokens than this hold no conversation.
LEAST_TOKENS = 512
# llama.cpp rounds the context up to a multiple of this.
_STEP_TOKENS = 256
# The server itself: 27 MiB were measured beside weights, conversation and buffers, with SmolLM2 135M.
_SERVER_BYTES = 64 << 20


class Needs:
    """What a model takes: *trained_tokens* is the longest conversation that it was trained for."""

    __slots__ = ("compute_bytes", "kv_bytes_per_token", "trained_tokens", "weights_bytes")

    def __init__(self, trained_tokens: int, weights_bytes: int, kv_bytes_per_token: int, compute_bytes: int) -> None:
        self.trained_tokens = trained_tokens
        self.weights_bytes = weights_bytes
        self.kv_bytes_per_token = kv_bytes_per_token
        self.compute_bytes = compute_bytes

    def memory_bytes(self, tokens: int) -> int:
        """Return what the server needs for a conversation of *tokens*."""
        return self.weights_bytes + self.compute_bytes + _SERVER_BYTES + tokens * self.kv_bytes_per_token


def read_needs(document: object) -> Needs:
    """Take the numbers out of a parsed model.json. Raises ValueError if one is missing or none."""
    values = []
    for name in ("context_tokens", "weights_bytes", "kv_bytes_per_token", "compute_bytes"):
        value = document.get(name) if isinstance(document, dict) else None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"model.json has no {name}")
        values.append(value)
    return Needs(*values)


def choose_context(needs: Needs, memory_bytes: int, *wishes: int | None) -> int:
    """Return the length of the conversation in tokens: the shortest of what the model was trained for, what each of
    *wishes* asks for, and what a machine with *memory_bytes* has room for. 0 if that is too short for any.
    """
    room_bytes = memory_bytes - REST_BYTES - needs.memory_bytes(0)
    limits = [needs.trained_tokens, *(wish for wish in wishes if wish is not None)]
    if room_bytes < 0:
        return 0
    if needs.kv_bytes_per_token:
        limits.append(room_bytes // needs.kv_bytes_per_token)
    tokens = min(limits) // _STEP_TOKENS * _STEP_TOKENS
    return tokens if tokens >= LEAST_TOKENS else 0
