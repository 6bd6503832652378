"""The training set on disk: one file of WebP pictures, logos and fonts end to end, and a table that says what each is.

`set.tsv` is index and manifest in one: where an item lies, which split it belongs to, and the package, version, file
and licence it came from. The split is a function of the item's own name: it never moves when a set is built again.
"""

import csv
import hashlib
import io
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy import uint8
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from training import TrainingError

Kind = Literal["photo", "texture", "logo", "font"]
Split = Literal["train", "held-out"]
Picture = NDArray[uint8]  # (H, W, 3) RGB

HELD_OUT = 12  # one item in so many
ITEMS, TABLE = "set.pack", "set.tsv"


class NoPictures(TrainingError):
    """A folder has nothing that can be learned from. Says why."""


@dataclass(frozen=True)
class Item:
    """A line of the table."""

    offset: int  # bytes
    size: int  # bytes
    kind: Kind
    split: Split
    width: int  # pixels; 0 for a font
    height: int
    about: str  # a font's scripts, joined by commas; empty otherwise
    source: str  # the Debian package, or `photos`
    version: str
    file: str
    licence: str


def split_of(name: str) -> Split:
    """Where an item of this name belongs, always: its repository path, file or font family."""
    digest = hashlib.sha256(name.encode()).digest()
    return "held-out" if int.from_bytes(digest[:4], "big") % HELD_OUT == 0 else "train"


def is_symbol(code: int) -> bool:
    """Whether a character is of the private use areas, where icon fonts keep their pictures."""
    return 0xE000 <= code <= 0xF8FF or code >= 0xF0000


class Writer:
    """Writes a set; the table is written last, so that a set without one is unfinished."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        (folder / TABLE).unlink(missing_ok=True)
        self._file = (folder / ITEMS).open("wb")
        self.items: list[Item] = []

    def add(self, data: bytes, **what: object) -> None:
        """`what`: the members of Item but offset and size."""
        self.items.append(Item(offset=self._file.tell(), size=len(data), **what))  # type: ignore[arg-type]
        self._file.write(data)

    def close(self) -> None:
        self._file.close()
        with (self._folder / TABLE).open("w", newline="") as file:
            table = csv.DictWriter(file, [field.name for field in fields(Item)], delimiter="\t")
            table.writeheader()
            table.writerows(asdict(item) for item in self.items)


class Pack:
    """Reads a set. Items are read when asked for; nothing is kept."""

    def __init__(self, folder: Path) -> None:
        if not (folder / TABLE).exists():
            raise NoPictures(f"{folder} holds no training set. Make one: python -m training data --out {folder}")
        self._path = folder / ITEMS
        with (folder / TABLE).open(newline="") as file:
            self.items = [_item(row) for row in csv.DictReader(file, delimiter="\t")]

    def of(self, kind: Kind, split: Split) -> list[Item]:
        return [item for item in self.items if item.kind == kind and item.split == split]

    def read(self, item: Item) -> bytes:
        with self._path.open("rb") as file:
            file.seek(item.offset)
            return file.read(item.size)


def _item(row: dict[str, str]) -> Item:
    numbers = {name: int(row[name]) for name in ("offset", "size", "width", "height")}
    return Item(**(row | numbers))  # type: ignore[arg-type]


class Pictures:
    """The photographs and textures of one split, decoded once and kept in memory: about 1 MB each.

    `pictures[i]` is a whole picture; `crop` is what training eats.
    """

    def __init__(self, folder: Path, split: Split, textures: float = 0.25) -> None:
        """`textures`: the share of crops that come from textures."""
        self._pack = Pack(folder)
        photos, others = self._pack.of("photo", split), self._pack.of("texture", split)
        if not photos + others:
            raise NoPictures(f"{folder} holds no picture of the split {split}.")
        self.items = photos + others
        self._photos = len(photos)
        self._textures = 0.0 if not others else 1.0 if not photos else textures
        self.decoded = cache(self._decode)  # by index

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Picture:
        """The whole picture, (H, W, 3); shared, not to be written to."""
        return self.decoded(index)

    def _decode(self, index: int) -> Picture:
        picture = np.asarray(Image.open(io.BytesIO(self._pack.read(self.items[index]))).convert("RGB"))
        picture.setflags(write=False)
        return picture

    def pick(self, rng: Generator) -> Picture:
        """A whole picture at random."""
        if rng.random() < self._textures:
            return self[int(rng.integers(self._photos, len(self)))]
        return self[int(rng.integers(0, self._photos))]

    def crop(self, rng: Generator, side: int, reduce: float = 3.0) -> Picture:
        """A square crop at random, (side, side, 3): mirrored, reduced up to so many times, its colours jittered."""
        picture = self.pick(rng)
        height, width = picture.shape[:2]
        largest = min(height, width, round(side * reduce))
        taken = round(side * (largest / side) ** rng.random()) if largest > side else min(height, width)
        top, left = rng.integers(0, height - taken + 1), rng.integers(0, width - taken + 1)
        piece = picture[top : top + taken, left : left + taken]
        if taken != side:
            how = cv2.INTER_AREA if taken > side else cv2.INTER_CUBIC
            piece = np.asarray(cv2.resize(piece, (side, side), interpolation=how), uint8)
        piece = piece[:, ::-1] if rng.random() < 0.5 else piece
        return jitter(np.ascontiguousarray(piece), rng)


def jitter(picture: Picture, rng: Generator) -> Picture:
    """Another exposure, contrast and white balance, through one table a channel."""
    gamma = np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.06, 3))
    low, high = max(0.0, rng.normal(0, 0.04)), min(1.0, rng.normal(1, 0.06))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * (high - low) + low
    table = np.rint(levels.clip(0, 1) * 255).astype(uint8)
    return np.asarray(cv2.LUT(picture, table[:, None, :]))
