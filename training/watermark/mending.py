"""Trains the network that mends what was computed from below a mark (engine/watermark/mending.py).

It learns from what the detector makes of marked pictures, whatever that is: with a user's mask and without, of tiled
marks and of single ones, and now and then of something that is no mark.
"""

from collections.abc import Callable, Generator
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inpainting.engine.crops.boxes import Box
from inpainting.engine.interface import Detection
from inpainting.engine.nets.weighing import Weighing, save
from inpainting.engine.watermark.detector import Detector
from inpainting.engine.watermark.mending import CONFIG, Estimates, estimates, load, surroundings
from inpainting.engine.watermark.weights_file import read, thresholds
from inpainting.engine.weights import WATERMARK
from training.data.crops import Crops, Rows, held_out
from training.data.examples import Example, asked, make, piece
from training.data.marks.draw import Marks
from training.data.marks.mark import Style
from training.data.pack import Pictures, Split
from training.data.stream import stream
from training.trainer import Losses, Recipe, Trainer, origin

STYLE = Style(opacity=(0.1, 0.9), opaque=0.05, height=(0.05, 0.5), tiled=0.4)
UNMARKED = 0.05  # share of the pictures
ASKED, TRUSTED = 0.5, 0.8  # of ten pictures five have a user's mask, and the next three are only said to have a mark
SMALLEST, LARGEST = 256, 448  # pixels: the longer side of the pictures
LEAST = 0.05  # weight of a pixel through which nothing shines

# Rows of an example: those of `Estimates`, the clean picture, and how opaque the mark truly is. Three by three where
# they are colours.
GIVEN = (3, 3, 3, 3, 2, 1, 1, 1, 1)
ROWS = (*GIVEN, 3, 1)
LAYOUT = Rows(sum(GIVEN) - 1, [range(3 * n, 3 * n + 3) for n in (0, 1, 2, 3, 6)])


class Maker:
    """Marks pictures of one split, and lets a detector compute what is below."""

    def __init__(self, data: Path, split: Split) -> None:
        self.pictures, self.marks = Pictures(data, split), Marks(data, split)
        net, about = read(WATERMARK)
        self.detector = Detector(net, thresholds(about))

    def example(self, rng: np.random.Generator) -> Tensor:
        """(22, H, W) uint8, the rows as above; something of it is to be mended."""
        while True:
            picture = self.pictures[int(rng.integers(len(self.pictures)))]
            side = int(rng.integers(SMALLEST, LARGEST + 1))
            made = make(piece(picture, rng, side, side), self.marks, rng, STYLE, UNMARKED)
            found, hole = self._detected(made, rng)
            if found.mask.any():
                return _rows(made, found, hole)

    def _detected(self, made: Example, rng: np.random.Generator) -> tuple[Detection, NDArray[np.bool_] | None]:
        roll = rng.random()
        hole = asked(made.mark, rng) > 0 if roll < ASKED else None
        return self.detector.detect(made.marked, hole, trust="all" if roll < TRUSTED else "nobody"), hole


def _rows(made: Example, found: Detection, hole: NDArray[np.bool_] | None) -> Tensor:
    near = surroundings(found.mask, hole)
    height, width = near.shape
    shown = torch.cat(estimates(made.marked, found, near, Box(0, 0, height, width)), 1)[0]
    truth = torch.from_numpy(made.mark.opacity)[None]
    levels = (torch.cat([shown, truth]) * 255).round().clamp(0, 255).to(torch.uint8)
    clean = torch.from_numpy(np.ascontiguousarray(made.clean.transpose(2, 0, 1)))
    return torch.cat([levels[:-1], clean, levels[-1:]])


class MendingTrainer(Trainer[Weighing, Tensor]):
    def __init__(self, recipe: Recipe, data: Path, start: Path | None = None) -> None:
        torch.manual_seed(0)
        super().__init__((load(start) if start else Weighing(CONFIG)).requires_grad_(True), recipe, origin(start))
        self.data = data

    def batches(self, progress: Tensor) -> Generator[Tensor]:
        recipe = self.recipe
        crops = Crops(partial(Maker, self.data, "train"), LAYOUT, recipe.side, recipe.batch, self.step)
        return stream(crops, recipe.workers)

    def learn(self, batch: Tensor) -> Losses:
        shown, clean, weight = self._parted(batch)
        loss = error(self.net(shown), clean, weight, slopes=True)
        self.descend(loss)
        return {"loss": loss.detach()}

    @cached_property
    def held_out(self) -> Tensor:
        return held_out(Maker(self.data, "held-out"), LAYOUT, self.recipe.side)

    @torch.inference_mode()
    def check(self) -> dict[str, float]:
        """Mean error in levels of 255, of what was computed and of that mended."""
        shown, clean, weight = self._parted(self.held_out)
        both = {"before": shown.computed, "after": self.average(shown)}
        return {name: 255 * float(error(picture, clean, weight, slopes=False)) for name, picture in both.items()}

    def write(self, out: Path, say: Callable[[str], None]) -> None:
        self.preview(out)

    def preview(self, out: Path) -> None:
        save(out, self.average, self.about())

    def _parted(self, rows: Tensor) -> tuple[Estimates, Tensor, Tensor]:
        """What the network is given, the clean picture, and what each pixel counts."""
        planes = rows.to(self.device, non_blocking=True).float().div(255)
        *shown, clean, opacity = planes.split(ROWS, 1)
        return Estimates(*shown), clean, shown[-1] * (1 + LEAST - opacity)


def error(made: Tensor, clean: Tensor, weight: Tensor, *, slopes: bool) -> Tensor:
    """Mean L1 of what counts; and half that of its slopes, which are what the eye finds of a ghost."""
    off = made - clean
    total = 3 * weight.sum() + 1
    result = (off.abs() * weight).sum() / total
    if slopes:
        across, down = off.diff(dim=3).abs() * weight[..., 1:], off.diff(dim=2).abs() * weight[..., 1:, :]
        result = result + 0.5 * (across.sum() + down.sum()) / total
    return result
