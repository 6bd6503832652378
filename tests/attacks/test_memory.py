"""Many clients with pictures that are small as files and large in memory: the server stays below its budget."""

import io
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from inpainting import cutouts, engine
from inpainting.images import Picture
from tests import pictures
from tests.live.service import running
from tests.live.test_concurrency import children

SIDE, CLIENTS = 2048, 8
EACH = 10 * SIDE**2 / 1e6  # megabytes that one is let in for
BUDGET = 2.5 * EACH  # so that two are worked on at once, four wait, and the others are refused
# script/server's; without them each thread keeps memory of its own.
ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4294967296"}
AROUND = 60  # megabytes that the work of the model, threads and answers take besides


def files() -> dict[str, bytes]:
    """Of a few kilobytes: a cut-out, and a mask with holes at its ends."""
    rgba, mask = np.full((SIDE, SIDE, 4), 90, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    rgba[100:-100, 100:-100, 3] = 255
    mask[300:320, 300:340] = mask[-320:-300, -340:-300] = 255
    buffers = {"image": io.BytesIO(), "mask": io.BytesIO()}
    for buffer, pixels in zip(buffers.values(), (rgba, mask), strict=True):
        Image.fromarray(pixels).save(buffer, "PNG")
    return {name: buffer.getvalue() for name, buffer in buffers.items()}


def test_it_works(tmp_path: Path) -> None:
    environment = {"REQUEST_MEMORY": str(BUDGET), "INPAINT_MODEL": "patchmatch", "ENGINE_CONCURRENCY": "64"}
    with running(tmp_path, **environment, **ALLOCATOR) as service:
        key, sent = service.key(), files()
        (worker,) = children(service.process.pid)

        def send(number: int) -> str:
            answer = requests.post(
                f"{service.url}/api/v1/remove-watermark",
                headers={"X-API-Key": key},
                files=sent,
                data={"grow": "8"},
                timeout=120,
            )
            return "ok" if answer.ok else f"{answer.json()['code']}, {answer.headers['Retry-After']} s"

        for path in ("remove-watermark", "detect"):  # all models are loaded then
            small = {"image": pictures.file(pictures.photo())}
            requests.post(f"{service.url}/api/v1/{path}", headers={"X-API-Key": key}, files=small, timeout=120)
        assert send(0) == "ok"
        one = peak(worker)
        with ThreadPoolExecutor(CLIENTS) as clients:
            answers = Counter(clients.map(send, range(CLIENTS)))
        stats = requests.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=60).json()

        assert answers["ok"] >= 2
        assert answers["ok"] + answers["busy, 2 s"] == CLIENTS
        assert stats["quota"]["used"] == stats["success"] - 1 == answers["ok"] + 1
        assert peak(worker) <= one + BUDGET - EACH + AROUND


def peak(pid: int) -> float:
    """Megabytes that a process had resident at most (proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6


@pytest.mark.parametrize("opacities", ["halves", "noise"])
def test_a_cutout_that_is_nearly_all_marked(opacities: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides what its model takes, in a turn: an outline that goes on through all of it, or soft edges everywhere."""
    monkeypatch.setattr(engine, "inpaint", lambda rgb, mask, *_, **__: engine.Inpainted(rgb, 0.0))
    side, noise = 2048, np.random.default_rng(0)
    alpha = noise.integers(0, 256, (side, side), np.uint8) if opacities == "noise" else np.zeros((side, side), np.uint8)
    if opacities == "halves":
        alpha[:, side // 2 :] = 255
    mask = np.full((side, side), 255, np.uint8)
    mask[:4] = 0
    picture = Picture(pictures.photo(side, side), alpha)
    tracemalloc.start()
    cutouts.inpaint(picture, mask, "hybrid")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most / side**2 < 40
