"""What runs before the disk is open: it says what it has decided, and becomes the server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from claudine_runtime import launch as launching
from claudine_runtime.launch import DOES_NOT_FIT, SERVER, UNREADABLE, launch
from tests.runtime.simulated_models import MIB, OWN, record

ITS_MODULES = """\
import sys, json
sys.path[:0] = {paths!r}
before = set(sys.modules)
import claudine_runtime.launch
print(*(set(sys.modules) - before))
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(launching, "total_memory_bytes", lambda: 2048 * MIB)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2, 3})
    monkeypatch.delenv("CLAUDINE_CONTEXT", raising=False)
    for processor in range(4):
        file = tmp_path / f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
        file.parent.mkdir(parents=True)
        file.write_text(f"{processor // 2 * 2}-{processor // 2 * 2 + 1}\n")
    put(tmp_path / "run/model/model.json", json.dumps(record(OWN)))
    put(tmp_path / "usr/share/claudine/model.json", json.dumps({"context_tokens": 2048}))
    return tmp_path


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def launched(root: Path) -> list[str]:
    found: list[list[str]] = []
    assert launch(OWN, f"{root}/", lambda program, argv: found.append([program, *argv[1:]])) == 0
    return found[0]


def value(argv: list[str], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_it_becomes_the_server_of_the_model_that_is_mounted(root: Path) -> None:
    argv = launched(root)
    assert argv[0] == SERVER
    assert value(argv, "--model") == "/run/model/model.gguf"
    assert value(argv, "--host") == f"/run/claudine-runtime/{OWN}/llama.sock"
    assert (value(argv, "--ctx-size"), value(argv, "--threads")) == ("2048", "2")


def test_it_says_what_it_has_decided_in_one_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    launched(root)
    assert capsys.readouterr().out == (
        "own_1: 2048 tokens of context, 2 threads; 225 of this machine's 2048 MiB of memory, 1024 of which are for the "
        "rest\n"
    )


def test_the_owner_may_have_it_shorter(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDINE_CONTEXT", "1024")
    assert value(launched(root), "--ctx-size") == "1024"


@pytest.mark.parametrize(("word", "option"), [(None, "none"), ("cpu\n", "none"), ("vulkan\n", "all")])
def test_the_image_says_what_it_computes_on(root: Path, word: str | None, option: str) -> None:
    if word:
        put(root / "usr/share/claudine/gpu", word)
    assert value(launched(root), "--gpu-layers" if option == "all" else "--device") == option


def test_a_template_beside_the_weights_is_used(root: Path) -> None:
    assert "--chat-template-file" not in launched(root)
    put(root / "run/model/chat-template.jinja", "{{ messages }}")
    assert value(launched(root), "--chat-template-file") == "/run/model/chat-template.jinja"


@pytest.mark.parametrize("text", ["", "{}", "[", '{"context_tokens": "many"}'])
def test_a_description_that_makes_no_sense_is_told(root: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    put(root / "run/model/model.json", text)
    assert launch(OWN, f"{root}/") == UNREADABLE
    assert "own_1: the image cannot be read" in capsys.readouterr().err


def test_a_model_that_does_not_fit_is_not_tried(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(root / "run/model/model.json", json.dumps(record(OWN, weights_bytes=1000 * MIB)))
    assert launch(OWN, f"{root}/") == DOES_NOT_FIT
    assert "it does not fit: 1080 of this machine's 2048 MiB" in capsys.readouterr().err


def test_it_loads_next_to_nothing() -> None:
    """Each module costs an emulated machine tens of milliseconds, while somebody waits for the first word."""
    paths = [path for path in sys.path if "dist-packages" in path and "overlays" in path]
    code = ITS_MODULES.format(paths=paths)
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {
        "claudine_runtime",
        "claudine_runtime.launch",
        "claudine_runtime.machine",
        "claudine_runtime.plan",
        "collections.abc",
    }
