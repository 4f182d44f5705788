"""How long a conversation a model gets: never so long that the machine has nothing left."""

import subprocess
from pathlib import Path

import pytest

from claudine_runtime.plan import LEAST_TOKENS, REST_BYTES, Needs, choose_context, read_needs

MIB = 1 << 20
GENERATOR = Path(__file__).parents[2] / "overlays/runtime/usr/lib/systemd/system-generators/claudine-runtime-generator"
SMALL = Needs(trained_tokens=8192, weights_bytes=94 * MIB, kv_bytes_per_token=23040, compute_bytes=16 * MIB)
LARGE = Needs(trained_tokens=131072, weights_bytes=5000 * MIB, kv_bytes_per_token=131072, compute_bytes=300 * MIB)
FORGETFUL = Needs(trained_tokens=4096, weights_bytes=94 * MIB, kv_bytes_per_token=0, compute_bytes=0)


@pytest.mark.parametrize(
    ("needs", "memory_mib", "wishes", "tokens"),
    [
        (SMALL, 4096, (), 8192),
        (SMALL, 4096, (2048,), 2048),
        (SMALL, 4096, (2048, None), 2048),
        (SMALL, 4096, (2048, 1024), 1024),
        (SMALL, 4096, (100_000,), 8192),
        # llama.cpp would round it up.
        (SMALL, 4096, (1000,), 768),
        (SMALL, 1024 + 94 + 16 + 64 + 23, (2048,), 1024),
        (SMALL, 1024 + 94 + 16 + 64 + 11, (2048,), 0),
        (SMALL, 1024, (), 0),
        (SMALL, 512, (), 0),
        (LARGE, 8192, (), 14336),
        (LARGE, 6144, (), 0),
        (FORGETFUL, 2048, (), 4096),
    ],
)
def test_the_context_is_what_is_wished_for_as_far_as_there_is_room(
    needs: Needs, memory_mib: int, wishes: tuple[int | None, ...], tokens: int
) -> None:
    chosen = choose_context(needs, memory_mib * MIB, *wishes)
    assert chosen == tokens
    assert chosen == 0 or chosen >= LEAST_TOKENS
    if chosen:
        assert needs.memory_bytes(chosen) <= memory_mib * MIB - REST_BYTES


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"context_tokens": 1}, {"context_tokens": "8192"}, {"context_tokens": True}, {"context_tokens": -1}],
)
def test_a_model_json_without_its_numbers_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"model\.json has no"):
        read_needs(document)


@pytest.mark.parametrize(
    ("total_kib", "limit_kib"), [(8_000_000, 8_000_000 - (1 << 20)), (1 << 20, 65536), (500_000, 65536)]
)
def test_the_limit_of_the_unit_leaves_the_same_for_the_rest(tmp_path: Path, total_kib: int, limit_kib: int) -> None:
    assert REST_BYTES == (1 << 20) * 1024
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal:       {total_kib} kB\nMemFree:         1 kB\n")
    environment = {"MEMINFO": str(meminfo), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", GENERATOR, tmp_path, tmp_path, tmp_path], env=environment, check=True)
    written = (tmp_path / "claudine-runtime@.service.d/50-memory.conf").read_text()
    assert written == f"[Service]\nMemoryMax={limit_kib}K\n"
