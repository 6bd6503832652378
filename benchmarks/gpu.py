"""Pictures a second on a GPU: `python -m benchmarks.gpu [--keep]`.

So many requests at once go through crops and models, each again as soon as it has its answer; LaMa computes equal crops
of several together. `--device cpu` runs the same rows small, to show that they work. `--keep`: see `page`.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import machine, page, photographs

if TYPE_CHECKING:
    from inpainting.engine.crops.paint import Fill
    from inpainting.engine.watermark.detector import Detector

SIDES = 512, 1024, 2048  # pixels, of the pictures
AT_ONCE = 1, 4, 16
PRECISIONS = "fp32", "fp16"
PASSES = 20  # of each client
NO_GPU = (
    "There is no GPU here that torch can use, so nothing was measured. "
    "With --device cpu the same rows run small, which shows that they work."
)

Ask = Callable[[int], Callable[[], object]]  # a picture's side -> what asks for one picture of it


class Extent(NamedTuple):
    """How much is run."""

    sides: tuple[int, ...]
    passes: int
    ngf: int  # LaMa's width and depth
    blocks: int


WHOLE = Extent(SIDES, PASSES, ngf=64, blocks=18)
SMALL = Extent(tuple(side // 8 for side in SIDES), 1, ngf=8, blocks=2)


def rows(extent: Extent) -> Iterator[page.Row]:
    """The table, on the device that the engine has chosen. One model is loaded at a time."""
    import torch

    from benchmarks import networks
    from inpainting.engine.inpainters import hybrid
    from inpainting.engine.inpainters.lama.inpainter import LamaInpainter
    from inpainting.engine.inpainters.lama.network import LamaConfig
    from inpainting.engine.watermark import detector

    lama = networks.calibrated(LamaConfig(extent.ngf, extent.blocks))
    for precision in PRECISIONS:
        for at_once in AT_ONCE:
            inpainter = LamaInpainter(copy.deepcopy(lama), "random", precision, batch=at_once)
            yield from _rows("lama", inpainter.precision, at_once, extent, partial(_painting, "lama", inpainter.fill))
    copier = hybrid.HybridInpainter(hybrid.load())
    yield from _rows("hybrid", copier.precision, 1, extent, partial(_painting, "hybrid", copier.fill))
    found = detector.load()
    precision = "bf16" if next(found.pyramid.net.parameters()).dtype == torch.bfloat16 else "fp32"
    yield from _rows("detection", precision, 1, extent, partial(_detecting, found))


def _painting(model: str, fill: Fill, side: int) -> Callable[[], object]:
    from inpainting.engine import registry
    from inpainting.engine.crops.paint import paint

    picture, mask = photographs.photograph(side, side), photographs.corner_watermark(side, side)
    return lambda: paint(picture, mask, fill, registry.INPAINTERS[model].limits)


def _detecting(detector: Detector, side: int) -> Callable[[], object]:
    picture = photographs.photograph(side, side)
    return lambda: detector.detect(picture)


def _rows(model: str, precision: str, at_once: int, extent: Extent, ask: Ask) -> Iterator[page.Row]:
    for side in extent.sides:
        asked = ask(side)
        measure(asked, at_once, 1)  # compiles, and takes memory
        forget_peak()
        rate, p50 = measure(asked, at_once, extent.passes)
        row = {"model": model, "side": side, "precision": precision, "batch": at_once}
        yield {**row, "rate": round(rate, 2), "p50": round(1000 * p50, 1), "memory": peak_memory()}


def measure(ask: Callable[[], object], at_once: int, passes: int) -> tuple[float, float]:
    """Pictures a second of so many clients together, and the median of the seconds that a picture took."""

    def client() -> list[float]:
        ends = [time.perf_counter()]
        for _ in range(passes):
            ask()
            ends.append(time.perf_counter())
        return [end - start for start, end in pairwise(ends)]

    with ThreadPoolExecutor(at_once) as clients:
        started = time.perf_counter()
        running = [clients.submit(client) for _ in range(at_once)]
        seconds = [one for run in running for one in run.result()]
        elapsed = time.perf_counter() - started
    return len(seconds) / elapsed, statistics.median(seconds)


def forget_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> float | None:
    """MiB that tensors on the GPU have taken at most since `forget_peak`."""
    import torch

    return round(torch.cuda.max_memory_allocated() / 2**20) if torch.cuda.is_available() else None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--keep", action="store_true", help="Put the table on the page.")
    options = parser.parse_args(arguments)
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # read when torch first looks
        if options.keep:
            parser.error("what is run small on a CPU does not belong on the page.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from inpainting.engine import hardware

    if hardware.device() != options.device:
        raise SystemExit(NO_GPU)
    name = f"{hardware.processor('cuda')} beside " if options.device == "cuda" else ""
    about, made = name + machine.describe(), list[page.Row]()
    print(about, page.header("gpu"), sep="\n\n", flush=True)
    for row in rows(WHOLE if options.device == "cuda" else SMALL):
        print(page.line("gpu", row), flush=True)
        made.append(row)
    if options.keep:
        page.keep("gpu", about, made)


if __name__ == "__main__":
    main()
