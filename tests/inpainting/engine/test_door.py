"""The door: which model answers, what is said of it, whose turn it is, and what a failure looks like."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from inpainting import engine
from inpainting.engine import (
    EngineBusy,
    EngineUnavailable,
    UnknownModel,
    door,
    hardware,
    load,
    models,
    registry,
    status,
)
from inpainting.engine.inpainters import patchmatch
from inpainting.engine.inpainters.hybrid import HybridInpainter
from inpainting.engine.inpainters.lama.inpainter import LamaInpainter
from inpainting.engine.inpainters.patchmatch import PatchMatch
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.queue import turns
from tests.pictures import photo

pytestmark = pytest.mark.usefixtures("nothing_loaded")

PICTURE = photo(64, 48)
WEIGHTS = np.zeros((48, 64), np.uint8)
WEIGHTS[20:30, 30:40] = 255


def test_it_works() -> None:
    made = engine.inpaint(PICTURE, WEIGHTS)

    assert made.seconds > 0
    np.testing.assert_array_equal(made.picture[WEIGHTS == 0], PICTURE[WEIGHTS == 0])
    assert (made.picture != PICTURE).any()
    assert (status().model, status().weights, status().device, status().precision) == (
        *("hybrid", "embedded"),
        *("cpu", "fp32"),
    )


def test_a_model_stays_loaded() -> None:
    assert isinstance(load(), HybridInpainter)
    assert load() is load("auto") is load("hybrid")


def test_patchmatch_needs_no_weights(nothing_loaded: Settings) -> None:
    nothing_loaded.INPAINT_MODEL = "patchmatch"
    assert (status().weights, status().precision) == (None, "uint8")
    assert isinstance(load(), PatchMatch)
    assert (status().weights, status().precision) == (None, "uint8")


def test_named_weights_make_lama_the_default(nothing_loaded: Settings, small_weights: Path) -> None:
    nothing_loaded.LAMA_WEIGHTS = str(small_weights)
    assert isinstance(load(), LamaInpainter)
    assert load().weights == "small"
    assert isinstance(load("patchmatch"), PatchMatch)


def test_big_lama_is_the_default_where_its_file_is(nothing_loaded: Settings) -> None:
    nothing_loaded.WEIGHTS_DIR.mkdir()
    (nothing_loaded.WEIGHTS_DIR / "big-lama.pt").write_bytes(b"torn")
    assert engine.default_model() == "lama"
    with pytest.raises(EngineUnavailable, match=r"big-lama\.pt has 4 bytes instead of 205,669,692"):
        load()


def test_a_chosen_model_is_the_default(nothing_loaded: Settings, small_weights: Path) -> None:
    nothing_loaded.INPAINT_MODEL, nothing_loaded.LAMA_WEIGHTS = "patchmatch", str(small_weights)
    assert isinstance(load(), PatchMatch)
    assert isinstance(load("lama"), LamaInpainter)


def test_knows_no_other_model() -> None:
    with pytest.raises(UnknownModel, match=r"no model 'dall-e'\. There are lama, .*, sd, sdxl, and auto"):
        engine.inpaint(PICTURE, WEIGHTS, "dall-e")


def test_lama_without_weights_says_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match=r"has no weights yet\. Run manage.py fetch_weights"):
        engine.inpaint(PICTURE, WEIGHTS, "lama")


def test_says_which_path_holds_no_weights(nothing_loaded: Settings) -> None:
    nothing_loaded.LAMA_WEIGHTS = "/nowhere/mine.safetensors"
    with pytest.raises(EngineUnavailable, match=r"there are no weights at /nowhere/mine\.safetensors"):
        load()
    assert (status().model, status().state) == ("lama", "failed")
    assert "/nowhere/mine.safetensors" in str(status().error)


def test_status_tells_idle_and_ready() -> None:
    assert status().state == "idle"
    engine.warm_up()
    assert status().state == "ready"


def test_status_names_a_model_that_settings_made_up(nothing_loaded: Settings) -> None:
    nothing_loaded.INPAINT_MODEL = "dall-e"
    assert (status().model, status().state, status().error) == ("dall-e", "failed", "There is no model 'dall-e'.")


def test_lists_the_models(nothing_loaded: Settings, small_weights: Path) -> None:
    assert [(one.name, one.available, one.default, one.weights) for one in models()] == [
        ("lama", False, False, None),
        ("hybrid", True, True, "embedded"),
        ("migan", False, False, None),
        ("patchmatch", True, False, None),
        ("sd", False, False, None),
        ("sdxl", False, False, None),
    ]
    nothing_loaded.LAMA_WEIGHTS = str(small_weights)
    assert [(one.name, one.available, one.default, one.weights) for one in models()] == [
        ("lama", True, True, "small"),
        ("hybrid", True, False, "embedded"),
        ("migan", False, False, None),
        ("patchmatch", True, False, None),
        ("sd", False, False, None),
        ("sdxl", False, False, None),
    ]


@pytest.mark.parametrize(
    ("picture", "hole"),
    [
        (np.zeros((4, 4), np.uint8), None),
        (np.zeros((4, 4, 3), np.float32), None),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), bool)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)),
    ],
)
def test_looks_at_no_other_shapes_and_types(picture: np.ndarray, hole: np.ndarray | None) -> None:
    with pytest.raises(ValueError, match="must be"):
        engine.detect(picture, hole)


def test_finds_a_mark_and_tells_how_long_it_took() -> None:
    found = engine.detect(PICTURE)

    assert found.mask.shape == PICTURE.shape[:2]
    assert found.seconds > 0


@pytest.mark.parametrize("call", [lambda: engine.inpaint(PICTURE, WEIGHTS), lambda: engine.detect(PICTURE)])
def test_is_busy_when_the_queue_is_full(
    nothing_loaded: Settings, monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]
) -> None:
    nothing_loaded.ENGINE_QUEUE = 0
    monkeypatch.setattr(hardware, "cores", lambda: 1)
    desks = door._desks
    with desks.inpainter(None).turn(), desks.detector.turn():
        with pytest.raises(EngineBusy):
            engine.check_room()
        with pytest.raises(EngineBusy):
            call()
    with desks.detector.turn():
        engine.check_room()
        with pytest.raises(EngineBusy):
            engine.check_room(detects=True)
    engine.check_room(detects=True)
    call()


def test_the_wait_for_a_turn_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("inpainting.engine.queue.turns.time", SimpleNamespace(monotonic=lambda: now[0]))

    def fill(picture: Picture, hole: Hole) -> Picture:
        now[0] += 2.5
        return picture

    monkeypatch.setattr(load("patchmatch"), "fill", fill)

    assert engine.inpaint(PICTURE, WEIGHTS, "patchmatch").seconds == 2.5


def test_a_long_call_gives_way_between_its_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of a checkerboard beside a small call of another account, which waits for neither of them."""
    order = list[str]()
    entry = registry.INPAINTERS["patchmatch"]
    limits = replace(entry.limits, context=8, area=64 * 64)
    monkeypatch.setitem(registry.INPAINTERS, "patchmatch", replace(entry, limits=limits))
    picture, (y, x) = photo(256, 128), np.indices((128, 256))
    checkerboard = ((y // 8 + x // 8) % 2 * 255).astype(np.uint8)
    alone = engine.inpaint(picture, checkerboard, "patchmatch").picture
    monkeypatch.setattr(turns, "LONG", 0.0)
    monkeypatch.setattr(hardware, "cores", lambda: 1)
    monkeypatch.setattr(door, "_desks", door.Desks())
    desk, model = door._desks.inpainter("patchmatch"), load("patchmatch")
    _, line = desk._lazy.made or (None, None)
    assert line

    def fill(picture: Picture, hole: Hole) -> Picture:
        order.append(str(turns.CALLER.get().key))
        return patchmatch.fill(picture, hole)

    def call(caller: str, picture: Picture, mask: np.ndarray) -> Picture:
        with engine.on_behalf_of(caller):
            return engine.inpaint(picture, mask, "patchmatch").picture

    def waiting() -> int:
        with line._lock:
            return len(line._waiting)

    monkeypatch.setattr(model, "fill", fill)
    asked = {"one": (picture, checkerboard), "two": (picture, checkerboard), "small": (PICTURE, WEIGHTS)}
    made = list[Future[Picture]]()
    with ThreadPoolExecutor() as callers, desk.turn():
        for caller, arguments in asked.items():
            made.append(callers.submit(call, caller, *arguments))
            while waiting() < len(made):
                pass
    assert order[:3] == ["one", "two", "small"]
    assert order.count("one") == order.count("two") >= 4
    for result in made[:2]:
        np.testing.assert_array_equal(result.result(), alone)


def test_what_was_used_longest_ago_makes_room(nothing_loaded: Settings, small_weights: Path) -> None:
    nothing_loaded.LAMA_WEIGHTS, nothing_loaded.MODEL_MEMORY = str(small_weights), 1e-3
    lama, hybrid = (door._desks.inpainter(name) for name in ("lama", "hybrid"))
    first = load("lama")
    load("hybrid")
    assert (lama.state, hybrid.state) == ("idle", "ready")
    assert load("lama") is not first
    assert (lama.state, hybrid.state) == ("ready", "idle")


def test_importing_and_asking_how_it_is_imports_no_torch() -> None:
    code = "import django, sys; django.setup(); from inpainting import engine; engine.status(), engine.models()"
    subprocess.run([sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules)"], check=True)
