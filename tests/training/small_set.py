"""A training set of a few small pictures, made here; its fonts are the ones Pillow brings."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFont

from training.data.pack import Kind, Split, Writer


def landscape(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    """Smooth shapes with some grain: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), float)
    return (smooth + rng.normal(0, 4, smooth.shape)).clip(0, 255).astype(np.uint8)


def add_picture(writer: Writer, kind: Kind, split: Split, seed: int) -> None:
    out = io.BytesIO()
    picture = landscape(seed)
    Image.fromarray(picture).save(out, "WEBP", lossless=True)
    height, width = picture.shape[:2]
    origin = {"source": "tests", "version": "1", "file": f"{seed}.png", "licence": "CC0"}
    writer.add(out.getvalue(), kind=kind, split=split, width=width, height=height, about="", **origin)


def small_set(folder: Path) -> Path:
    """A set of both splits with four pictures, a texture and a font each."""
    writer = Writer(folder)
    font = ImageFont.load_default(20).font_bytes  # type: ignore[union-attr]
    seeds: dict[Split, int] = {"train": 0, "held-out": 100}
    for split, seed in seeds.items():
        for number in range(4):
            add_picture(writer, "photo", split, seed + number)
        add_picture(writer, "texture", split, seed + 50)
        origin = {"source": "Pillow", "version": "1", "file": f"{split}.ttf", "licence": "OFL"}
        writer.add(font, kind="font", split=split, width=0, height=0, about="latin", **origin)
    writer.close()
    return folder
