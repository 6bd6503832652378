"""One of those compared by `benchmarks.peers`, in a process of its own: `python -m benchmarks.contender NAME WEIGHTS`.

Says {} once it is loaded. Reads lines of JSON {"job": path of an .npz with picture and hole, "result": path} and
answers each with {"cpu": seconds of all cores, "memory": MiB held at most, "crops": what it cut out, if it says so}.
Runs on the interpreter that has NAME installed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]  # RGB (H, W, 3), hole (H, W) of 0 and 255 -> RGB (H, W, 3)


def iopaint(weights: Path, strategy: str) -> tuple[Fill, Any]:
    """IOPaint's own ModelManager; `weights` is the TorchScript file below a TORCH_HOME."""
    os.environ["TORCH_HOME"] = str(weights.parents[2])
    import torch
    from iopaint.helper import boxes_from_mask
    from iopaint.model_manager import ModelManager
    from iopaint.schema import HDStrategy, InpaintRequest

    manager = ModelManager("lama", torch.device("cpu"))
    request = InpaintRequest(hd_strategy=HDStrategy(strategy))

    def fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        filled: np.ndarray = manager(picture, hole, request)
        return filled[..., ::-1]

    def crops(picture: np.ndarray, hole: np.ndarray) -> list[list[int]]:
        """Left, top, right, bottom of each, in the order in which they are pasted; none: the whole frame."""
        if strategy != "Crop" or max(picture.shape) <= request.hd_strategy_crop_trigger_size:
            return []
        boxes = boxes_from_mask(hole)
        return [[int(side) for side in manager.model._crop_box(picture, hole, box, request)[2]] for box in boxes]

    return fill, crops


def simple_lama(weights: Path) -> tuple[Fill, Any]:
    os.environ["LAMA_MODEL"] = str(weights)
    import torch
    from simple_lama_inpainting import SimpleLama

    lama = SimpleLama(torch.device("cpu"))
    return lambda picture, hole: np.asarray(lama(picture, hole))[: len(picture), : picture.shape[1]], None


def eager(weights: Path) -> tuple[Fill, Any]:
    """The plain network, on the whole frame (whose sides are multiples of 8)."""
    import torch

    from inpainting.engine.inpainters.lama.checkpoint import load
    from inpainting.engine.inpainters.lama.network import masked_input

    lama = load(weights)

    @torch.inference_mode()
    def fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        image, mask = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255, torch.from_numpy(hole)[None, None] / 255
        made = (lama(masked_input(image, mask))[0] * 255).round().byte().permute(1, 2, 0).numpy()
        return np.where(hole[..., None] > 0, made, picture)

    return fill, None


def ours(weights: Path) -> tuple[Fill, Any]:
    """The engine as the service uses it."""
    os.environ.update(DJANGO_SETTINGS_MODULE="config.settings", LAMA_WEIGHTS=str(weights))
    import django

    django.setup()
    from inpainting import engine

    lama = engine.load("lama")
    print(f"ours: {lama.precision} on {lama.device}", file=sys.stderr)
    return lambda picture, hole: engine.inpaint(picture, hole, "lama").picture, None


CONTENDERS: dict[str, Callable[[Path], tuple[Fill, Any]]] = {
    "ours": ours,
    "iopaint": lambda weights: iopaint(weights, "Crop"),
    "iopaint-original": lambda weights: iopaint(weights, "Original"),
    "simple-lama": simple_lama,
    "eager": eager,
}


def peak_memory() -> float:
    """MiB that the process has held at most since `forget_peak`."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak resident set size


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the libraries print is no answer
    fill, crops = CONTENDERS[sys.argv[1]](Path(sys.argv[2]))
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        with np.load(order["job"]) as job:
            picture, hole = job["picture"], job["hole"]
        cut = crops(picture, hole) if crops else []
        forget_peak()
        started = time.process_time()
        result = fill(picture.copy(), hole)
        seconds = time.process_time() - started
        np.save(order["result"], result)
        print(json.dumps({"cpu": seconds, "memory": peak_memory(), "crops": cut}), file=answers, flush=True)


if __name__ == "__main__":
    main()
