"""A folder of somebody's own pictures, to train on or to be judged by, with the interface of a packed set."""

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from training.data.pack import HELD_OUT, TABLE, Item, NoPictures, Picture, Pictures, Split

FORMATS = (".jpg", ".jpeg", ".png", ".webp")
SMALLEST, LARGEST = 64, 1024  # pixels: of the shorter side, at least; of the longer side, to which it is reduced
KEPT = 2 << 30  # bytes of decoded pictures


class Folder(Pictures):
    """The pictures of a folder and of those in it. One in `HELD_OUT` is held out, by its content, and at least one."""

    def __init__(self, folder: Path, split: Split | None) -> None:
        """`split`: None for all. NoPictures: there are fewer than two of them."""
        if not folder.is_dir():
            raise NoPictures(f"There is no folder {folder}.")
        self.unusable: list[str] = []  # why, of each file
        self._folder = folder
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMATS and path.is_file())
        read = tqdm(files, desc="Reading pictures", unit="picture", disable=None, leave=False)
        found = {path: size for path in read if (size := self._size(path))}
        if len(found) < 2:
            raise NoPictures(
                f"{folder} has {len(found)} usable pictures ({', '.join(FORMATS)}, at least {SMALLEST} pixels a side)"
                f"{''.join(f'; {why}' for why in self.unusable[:5])}. Two are the least: one is held out, to judge by."
            )
        by_digest = sorted((hashlib.sha256(path.read_bytes()).digest(), path) for path in found)
        held = {path for digest, path in by_digest if int.from_bytes(digest[:4], "big") % HELD_OUT == 0}
        held = held or {by_digest[0][1]}
        held = held if len(held) < len(found) else {by_digest[0][1]}
        splits: dict[Path, Split] = {path: "held-out" if path in held else "train" for path in found}
        self.items = [self._item(p, splits[p], found[p]) for p in found if split is None or splits[p] == split]
        self._photos, self._textures = len(self.items), 0.0
        self.decoded = lru_cache(KEPT // (3 * LARGEST**2))(self._decode)

    def _size(self, path: Path) -> tuple[int, int] | None:
        """Width and height of a usable picture."""
        try:
            with Image.open(path) as image:
                width, height = ImageOps.exif_transpose(_reduced(image)).size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            self.unusable.append(f"{path.name}: {error}")
            return None
        if min(width, height) < SMALLEST:
            self.unusable.append(f"{path.name}: {width}x{height} pixels")
            return None
        return width, height

    def _item(self, path: Path, split: Split, size: tuple[int, int]) -> Item:
        name = str(path.relative_to(self._folder))
        return Item(0, path.stat().st_size, "photo", split, *size, "", "folder", "", name, "the owner's own")

    def _decode(self, index: int) -> Picture:
        with Image.open(self._folder / self.items[index].file) as image:
            picture = np.asarray(ImageOps.exif_transpose(_reduced(image)).convert("RGB"))
        picture.setflags(write=False)
        return picture


def open_pictures(folder: Path, split: Split | None) -> Pictures:
    """A packed set, or a folder of plain pictures; None: all of them, of a folder only. NoPictures: there are none."""
    if not is_packed(folder):
        return Folder(folder, split)
    if split is None:
        raise NoPictures(f"{folder} is a packed set, and most of it is for training: only its held-out pictures count.")
    return Pictures(folder, split)


def is_packed(folder: Path) -> bool:
    """Whether the folder is a packed set."""
    return (folder / TABLE).exists()


def _reduced(image: Image.Image) -> Image.Image:
    """Decoded, whole, and no larger than LARGEST."""
    image.draft("RGB", (LARGEST, LARGEST))  # a JPEG is decoded at a fraction of its size, which is much faster
    image.load()
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return image
