"""A model of random weights, a few megabytes: it says nothing sensible, and drives the real server.

Its letters are its tokens, so a text has as many tokens as letters. It never ends an answer by itself.
"""

from pathlib import Path

import numpy
from gguf import GGUFWriter, TokenType

_WIDTH, _FEED_FORWARD, _LAYERS, _HEADS = 256, 1024, 2, 4
_LETTERS = [chr(code) for code in range(ord(" "), 0x7F)]
_TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def write_tiny_model(path: Path) -> None:
    """Write the model; the same bytes each time."""
    # Texts may hold what has no letter here; each of its bytes is a token that is never said.
    special = ["<unk>", "<s>", "</s>"]
    tokens = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *_LETTERS]
    types = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * 256]
    types += [TokenType.NORMAL] * len(_LETTERS)

    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(1 << 20)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(_TEMPLATE)
    for name, weights in _weights(len(tokens)).items():
        writer.add_tensor(name, weights.astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(n_tokens: int) -> dict[str, "numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]"]:
    random = numpy.random.default_rng(1)

    def matrix(*shape: int) -> "numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]":
        return random.normal(0, 0.1, shape)

    output = matrix(n_tokens, _WIDTH)
    # Anything but letters gets a score of nothing, and some letter always has more.
    output[: n_tokens - len(_LETTERS)] = 0
    weights = {"token_embd.weight": matrix(n_tokens, _WIDTH), "output.weight": output}
    weights["output_norm.weight"] = numpy.ones(_WIDTH)
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        for norm in ("attn_norm", "ffn_norm"):
            weights[f"{block}{norm}.weight"] = numpy.ones(_WIDTH)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights[f"{block}{part}.weight"] = matrix(_WIDTH, _WIDTH)
        for part in ("ffn_gate", "ffn_up"):
            weights[f"{block}{part}.weight"] = matrix(_FEED_FORWARD, _WIDTH)
        weights[f"{block}ffn_down.weight"] = matrix(_WIDTH, _FEED_FORWARD)
    return weights
