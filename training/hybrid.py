"""Trains the network that makes PatchMatch's copies fit (inpainters/hybrid.py), with pretrained features."""

from collections.abc import Callable, Generator
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inpainting.engine.inpainters.hybrid import CONFIG, Fills, fills, load
from inpainting.engine.nets.weighing import Weighing, save
from training import losses
from training.data import masks
from training.data.crops import Crops, Rows, held_out
from training.data.examples import piece
from training.data.pack import Pictures, Split
from training.data.stream import stream
from training.evaluate import metrics
from training.features import Features
from training.trainer import Losses, Recipe, Trainer, origin

SMALLEST, LARGEST = 256, 448  # pixels: the longer side of the pictures
BLOCKS = 3  # of the features; deeper ones cost more than they tell of texture
L1_HOLE, TEXTURE = 8.0, 2.0  # beside the features' difference
WINDOW = 32  # pixels in which texture is compared

# Rows of an example: those of `Fills`, and the clean picture.
GIVEN = (3, 3, 3, 1)
ROWS = (*GIVEN, 3)
LAYOUT = Rows(sum(GIVEN) - 1, [range(0, 3), range(3, 6), range(6, 9), range(10, 13)])


class Maker:
    """Draws holes over pictures of one split, and lets PatchMatch fill them."""

    def __init__(self, data: Path, split: Split) -> None:
        self.pictures = Pictures(data, split)

    def example(self, rng: np.random.Generator) -> Tensor:
        """(13, H, W) uint8, the rows as above."""
        side = int(rng.integers(SMALLEST, LARGEST + 1))
        picture = piece(self.pictures.pick(rng), rng, side, side)
        hole = masks.sample(rng, *picture.shape[:2])
        clean = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
        shown = (torch.cat(fills(picture, hole), 1)[0] * 255).round().clamp(0, 255).to(torch.uint8)
        return torch.cat([shown, clean])


class HybridTrainer(Trainer[Weighing, Tensor]):
    def __init__(self, recipe: Recipe, data: Path, start: Path | None = None) -> None:
        torch.manual_seed(0)
        super().__init__((load(start) if start else Weighing(CONFIG)).requires_grad_(True), recipe, origin(start))
        self.data, self.features = data, Features().to(self.device)

    def batches(self, progress: Tensor) -> Generator[Tensor]:
        recipe = self.recipe
        crops = Crops(partial(Maker, self.data, "train"), LAYOUT, recipe.side, recipe.batch, self.step)
        return stream(crops, recipe.workers)

    def learn(self, batch: Tensor) -> Losses:
        shown, clean = self._parted(batch)
        half = max(1, len(batch) // 2)  # the features cost more than the network: half a batch says enough
        with self.autocast():
            made = self.net(shown)
            with torch.no_grad():
                real = self.features(clean[:half], BLOCKS)
            found = self.features(made[:half], BLOCKS)
        pairs = list(zip(found, real, strict=True))
        parts = {
            "hole": L1_HOLE * losses.discounted_l1(made, clean, shown.hole),
            "unlike": losses.unlike(pairs, shown.hole[:half]).mean(),
            "texture": TEXTURE * losses.texture(pairs, shown.hole[:half], WINDOW),
        }
        self.descend(torch.stack(list(parts.values())).sum())
        return {name: value.detach() for name, value in parts.items()}

    @cached_property
    def held_out(self) -> Tensor:
        return held_out(Maker(self.data, "held-out"), LAYOUT, self.recipe.side)

    @torch.inference_mode()
    def check(self) -> dict[str, float]:
        """Of PatchMatch and of the network, in the holes: dB over all crops, and the mean distance."""
        shown, clean = self._parted(self.held_out)
        found = {}
        for name, made in {"copied": shown.copied, "made": self.average(shown)}.items():
            found[f"{name}_dB"] = metrics.psnr(made, clean, shown.hole)
            found[f"{name}_dist"] = float(np.mean(metrics.distances(self.features, made, clean, shown.hole)))
        return found

    def write(self, out: Path, say: Callable[[str], None]) -> None:
        self.preview(out)

    def preview(self, out: Path) -> None:
        save(out, self.average, self.about())

    def _parted(self, rows: Tensor) -> tuple[Fills, Tensor]:
        """What the network is given, and the clean picture."""
        planes = rows.to(self.device, non_blocking=True).float().div(255).contiguous(memory_format=torch.channels_last)
        *shown, clean = planes.split(ROWS, 1)
        return Fills(*shown), clean
