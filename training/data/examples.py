"""Examples for the watermark network: a marked picture, what lies below, and the truth about the mark."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy import float32, uint8
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from training.data.handling import handle
from training.data.marks.draw import Marks
from training.data.marks.mark import Mark, Style
from training.data.marks.strips import strip
from training.data.pack import Picture, Pictures, Split
from training.data.signs.scene import add_lettering

CLEAN = 0.28  # share of examples without a mark
LETTERED, DECEPTIVE = 0.15, 0.5  # shares of pictures with text of their own: among marked ones, and among the others
BARRED = 0.06  # share of composite marks that are words on a bar beside the picture
HINTED, MISLED = 0.15, 0.05  # shares with a hint, and with another picture's. Finding without one is the hard part
ASKED, AMISS = 0.4, 0.2  # shares with a user's mask, and of those the ones that lie anywhere
EASY = 0.15  # at least this share of examples stays as easy as the first ones
TILED = 0.3  # share of marks: tiled ones are computed from their copies, so that the network is needed for the others
FIRST = Style(opacity=(0.35, 1.0), height=(0.12, 0.6), tiled=TILED, composite=0.5)  # what the network begins with
FULL = Style(opacity=(0.1, 0.9), height=(0.06, 0.9), tiled=TILED, composite=0.5)


@dataclass(frozen=True)
class Example:
    marked: Picture
    clean: Picture
    mark: Mark

    def tensors(self) -> tuple[Tensor, ...]:
        """A row of a `Batch`, without the hint."""
        planes = [_first(self.marked.astype(float32) / 255), _first(self.clean.astype(float32) / 255)]
        planes += [
            self.mark.opacity[None],
            _first(self.mark.colour),
            np.stack(self.mark.truth(self.clean)).astype(float32),
        ]
        return tuple(torch.from_numpy(np.ascontiguousarray(plane, float32)) for plane in planes)


def _first(picture: NDArray[Any]) -> NDArray[Any]:
    return picture.transpose(2, 0, 1)


def make(picture: Picture, marks: Marks, rng: Generator, style: Style, unmarked: float = CLEAN) -> Example:
    """An example on that picture; some have no mark, some have text that belongs there."""
    height, width = picture.shape[:2]
    is_marked = rng.random() >= unmarked
    if rng.random() < (LETTERED if is_marked else DECEPTIVE):
        picture = add_lettering(picture, marks.letters, rng)
    mark = Mark.none(height, width)
    if is_marked and rng.random() < BARRED * style.composite:
        bar, mark = strip(marks.letters, rng, (height, width))
        picture = bar.over(picture)
    elif is_marked:
        mark = marks.draw(rng, height, width, style)
    now = handle(picture, mark, rng)
    return Example(now.marked, now.clean, now.mark)


def piece(picture: Picture, rng: Generator, smallest: int, side: int) -> Picture:
    """At most `side` pixels wide and high of it, maybe mirrored, at any scale: of it whole, or as it is and cut out.

    What a mark looks like on a large picture is not what it looks like on a small one. `smallest`: pixels of the longer
    side, to which a picture is reduced at most.
    """
    scale = min(1.0, smallest / max(picture.shape)) ** rng.random()
    tall, wide = (max(1, round(scale * length)) for length in picture.shape[:2])
    smaller = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_AREA)
    top, left = (int(rng.integers(0, max(0, length - side) + 1)) for length in (tall, wide))
    taken = smaller[top : top + side, left : left + side]
    return np.ascontiguousarray(taken[:, ::-1] if rng.random() < 0.5 else taken)


def hint(mark: Mark, rng: Generator) -> NDArray[Any]:
    """What the network may have said at half the scale, (4, H, W): blurred, too strong or weak, with gaps."""
    height, width = mark.opacity.shape
    said = np.dstack([mark.opacity, mark.opacity[..., None] * mark.colour])
    small = cv2.resize(said, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.4, 1.5))
    small = small * np.append(1, rng.uniform(0.85, 1.1, 3)).astype(float32) * float32(rng.uniform(0.6, 1.3))
    unevenness = cv2.resize(rng.uniform(0.4, 1.2, (5, 5)).astype(float32), (width // 2, height // 2))
    gaps = cv2.resize((rng.random((8, 8)) > 0.1).astype(float32), (width // 2, height // 2))
    small = small * (unevenness * gaps)[..., None]
    small[..., 0] += rng.normal(0, 0.01, small.shape[:2])
    return _first(cv2.resize(small.clip(0, 1), (width, height), interpolation=cv2.INTER_LINEAR))


def asked(mark: Mark, rng: Generator) -> NDArray[Any]:
    """A user's mask over the mark, (H, W) of 0 and 1; now and then it lies elsewhere, as over an object."""
    over = (mark.opacity > 0.02).astype(uint8)
    return by_hand(over if over.any() and rng.random() > AMISS else blobs(rng, *over.shape), rng)


def blobs(rng: Generator, height: int, width: int) -> NDArray[Any]:
    """One to three ellipses anywhere, (H, W) of 0 and 1."""
    made = np.zeros((height, width), uint8)
    for _ in range(rng.integers(1, 4)):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = max(2, int(rng.uniform(0.03, 0.3) * width)), max(2, int(rng.uniform(0.03, 0.3) * height))
        cv2.ellipse(made, centre, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    return made


def by_hand(over: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """What a user draws to cover that, (H, W) of 0 and 1: along its outline, boxes around its parts, or a blot."""
    height, width = over.shape
    margin = round(rng.uniform(0.01, 0.08) * min(height, width))
    over = cv2.dilate(over, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1)))
    roll = rng.random()
    if roll < 0.4:
        for left, top, wide, tall, _ in cv2.connectedComponentsWithStats(over)[2][1:]:
            over[top : top + tall, left : left + wide] = 1
    elif roll < 0.6:
        blot = cv2.GaussianBlur(over.astype(float32), (0, 0), rng.uniform(0.03, 0.1) * min(height, width))
        over = np.maximum(over, blot > 0.25).astype(uint8)
    return over.astype(float32)


class Batch(NamedTuple):
    """All in 0..1, float32."""

    marked: Tensor  # (N, 3, H, W)
    clean: Tensor  # (N, 3, H, W)
    opacity: Tensor  # (N, 1, H, W)
    colour: Tensor  # (N, 3, H, W)
    truth: Tensor  # (N, 2, H, W): is a pixel marked, does it count
    told: Tensor  # (N, 5, H, W): the hint, and the user's mask


class Maker:
    """Makes batches from the pictures, fonts and logos of one split."""

    def __init__(self, folder: Path, split: Split) -> None:
        self.pictures, self.marks = Pictures(folder, split), Marks(folder, split)

    def batch(self, rng: Generator, style: Style, side: int, size: int) -> Batch:
        examples = [make(self.pictures.crop(rng, side), self.marks, rng, style) for _ in range(size)]
        columns = zip(*(example.tensors() for example in examples), strict=True)
        told = [self._told(examples, index, rng) for index in range(size)]
        return Batch(*(torch.stack(list(column)) for column in [*columns, told]))

    def _told(self, examples: list[Example], index: int, rng: Generator) -> Tensor:
        """Mostly no hint. Now and then that of another picture: a false alarm that has to be seen through."""
        roll = rng.random()
        source = examples[index] if roll < HINTED else examples[index - 1] if roll < HINTED + MISLED else None
        height, width = examples[index].mark.opacity.shape
        said = hint(source.mark, rng) if source else np.zeros((4, height, width), float32)
        mask = asked(examples[index].mark, rng) if rng.random() < ASKED else np.zeros((height, width), float32)
        return torch.from_numpy(np.concatenate([said, mask[None]], dtype=float32))


@dataclass
class Examples(IterableDataset[Batch]):
    """Batches without end. `progress`: a shared number 0..1, by which they become harder."""

    folder: Path
    split: Split
    side: int
    size: int
    seed: int
    progress: Tensor

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        cv2.setNumThreads(1)
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        maker = Maker(self.folder, self.split)
        while True:
            style = FIRST if rng.random() < max(EASY, 1 - 6 * float(self.progress)) else FULL
            yield maker.batch(rng, style, self.side, self.size)
