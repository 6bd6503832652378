"""The door: which model answers, what is said of it, and what a failure looks like."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pytest_django import Settings

from inpainting import engine
from inpainting.engine import EngineBusy, EngineUnavailable, UnknownModel, get_engine, models, status, warm_up

pytestmark = pytest.mark.usefixtures("nothing_loaded")


def test_it_works() -> None:
    inpainter = get_engine()
    assert (inpainter.name, inpainter.weights, inpainter.device, inpainter.precision) == (
        "hybrid",
        "embedded",
        "cpu",
        "fp32",
    )
    assert get_engine() is get_engine("auto") is get_engine("hybrid") is inpainter


def test_patchmatch_needs_no_weights() -> None:
    inpainter = get_engine("patchmatch")
    assert (inpainter.name, inpainter.weights, inpainter.precision) == ("patchmatch", None, "uint8")


def test_named_weights_make_lama_the_default(nothing_loaded: Settings, small_weights: Path) -> None:
    nothing_loaded.LAMA_WEIGHTS = str(small_weights)
    assert (get_engine().name, get_engine().weights) == ("lama", "small")
    assert get_engine("patchmatch").name == "patchmatch"


def test_big_lama_is_the_default_where_its_file_is(nothing_loaded: Settings) -> None:
    nothing_loaded.WEIGHTS_DIR.mkdir()
    (nothing_loaded.WEIGHTS_DIR / "big-lama.pt").write_bytes(b"torn")
    assert engine.default_model() == "lama"
    with pytest.raises(EngineUnavailable, match=r"big-lama\.pt has 4 bytes instead of 205,669,692"):
        get_engine()


def test_a_chosen_model_is_the_default(nothing_loaded: Settings, small_weights: Path) -> None:
    nothing_loaded.INPAINT_MODEL, nothing_loaded.LAMA_WEIGHTS = "patchmatch", str(small_weights)
    assert get_engine().name == "patchmatch"
    assert get_engine("lama").name == "lama"


def test_knows_no_other_model() -> None:
    with pytest.raises(UnknownModel, match=r"no model 'sd'\. There are lama, hybrid, patchmatch, and auto"):
        get_engine("sd")


def test_lama_without_weights_says_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match=r"has no weights yet\. Run manage.py fetch_weights"):
        get_engine("lama")


def test_says_which_path_holds_no_weights(nothing_loaded: Settings) -> None:
    nothing_loaded.LAMA_WEIGHTS = "/nowhere/mine.safetensors"
    with pytest.raises(EngineUnavailable, match=r"there are no weights at /nowhere/mine\.safetensors"):
        get_engine()
    assert (status().model, status().state) == ("lama", "failed")
    assert "/nowhere/mine.safetensors" in str(status().error)


def test_a_failure_is_remembered_for_a_while_and_then_tried_again(
    nothing_loaded: Settings, small_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_loaded.LAMA_WEIGHTS = "/nowhere/mine.safetensors"
    with pytest.raises(EngineUnavailable):
        get_engine()
    nothing_loaded.LAMA_WEIGHTS = str(small_weights)
    with pytest.raises(EngineUnavailable):
        get_engine()
    monkeypatch.setattr("inpainting.engine.queue.lazy.RETRY_AFTER", 0)
    assert get_engine().weights == "small"


def test_status_tells_idle_loading_and_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, load = [status().state], engine._hybrid

    def watched() -> engine.Inpainter:
        seen.append(status().state)
        return load()

    monkeypatch.setattr(engine._models["hybrid"], "_load", watched)
    warm_up()
    assert [*seen, status().state] == ["idle", "loading", "ready"]


def test_status_names_a_model_that_settings_made_up(nothing_loaded: Settings) -> None:
    nothing_loaded.INPAINT_MODEL = "sd"
    assert (status().model, status().state, status().error) == ("sd", "failed", "There is no model 'sd'.")


def test_lists_the_models(nothing_loaded: Settings, small_weights: Path) -> None:
    assert [(one.name, one.available, one.default, one.weights) for one in models()] == [
        ("lama", False, False, None),
        ("hybrid", True, True, "embedded"),
        ("patchmatch", True, False, None),
    ]
    nothing_loaded.LAMA_WEIGHTS = str(small_weights)
    assert [(one.name, one.available, one.default, one.weights) for one in models()] == [
        ("lama", True, True, "small"),
        ("hybrid", True, False, "embedded"),
        ("patchmatch", True, False, None),
    ]


def test_many_threads_load_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads, load = [], engine._hybrid

    def counted() -> engine.Inpainter:
        loads.append(1)
        return load()

    monkeypatch.setattr(engine._models["hybrid"], "_load", counted)
    threads = [threading.Thread(target=get_engine) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]


def test_waits_for_a_slow_load_only_so_long(nothing_loaded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    loading, go_on, load = threading.Event(), threading.Event(), engine._hybrid

    def slow() -> engine.Inpainter:
        loading.set()
        go_on.wait(10)
        return load()

    monkeypatch.setattr(engine._models["hybrid"], "_load", slow)
    nothing_loaded.ENGINE_WAIT = 0.01
    thread = threading.Thread(target=get_engine)
    thread.start()
    loading.wait(10)
    with pytest.raises(EngineBusy):
        get_engine()
    go_on.set()
    thread.join()
    assert get_engine().name == "hybrid"


def test_importing_and_asking_how_it_is_imports_no_torch() -> None:
    code = "import django, sys; django.setup(); from inpainting import engine; engine.status(), engine.models()"
    subprocess.run([sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules)"], check=True)


def test_a_child_of_a_process_that_has_computed_does_not_hang() -> None:
    """Threads do not survive a fork: torch in a child would wait for its parent's for ever."""
    code = """
import os, torch
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from inpainting.engine.inpainters.lama import inpainter as predictor
lama, x = Lama(LamaConfig(32, 2)).eval(), torch.rand(1, 4, 256, 256)
lama(x)
if os.fork() == 0:
    lama(x)
    os._exit(0)
os.wait()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=os.environ | {"OMP_NUM_THREADS": "2"})
