"""Watermarks as people put them on pictures, rendered.

A mark is an opacity a (H, W) in 0..1 and a colour c (H, W, 3) in 0..1; it turns a picture x into (1 - a) x + a c.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.data import Pack, Picture, Split
from training.faces import SHARES, Face

Plane = NDArray[float32]  # (H, W), 0..1
Colours = NDArray[float32]  # (H, W, 3), 0..1
Stamp = NDArray[Any]  # (h, w, 4) float32: colour times coverage, coverage

VISIBLE = 3.0  # levels of 255: a pixel that the mark changes by less is neither marked nor clean


@dataclass(frozen=True)
class Mark:
    opacity: Plane
    colour: Colours
    tiled: bool = False

    def over(self, picture: Picture) -> Picture:
        """The marked picture."""
        a = self.opacity[..., None]
        return np.rint(picture * (1 - a) + 255 * a * self.colour).astype(uint8)

    def truth(self, picture: Picture) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which pixels are marked, and which count: where the mark has the picture's own colour nobody can tell."""
        change = np.abs(255 * self.colour - picture).max(2) * self.opacity
        marked = self.opacity > 0.02
        return marked & (change >= VISIBLE), ~marked | (change >= VISIBLE)


@dataclass(frozen=True)
class Style:
    """What the marks of a stage of training look like."""

    opacity: tuple[float, float] = (0.1, 1.0)
    opaque: float = 0.1  # share of marks of opacity 1
    height: tuple[float, float] = (0.03, 0.5)  # of text or logo, against the side of the picture
    tiled: float = 0.5  # share of marks that lie all over the picture


class Marks:
    """Draws marks with the fonts and logos of one split."""

    def __init__(self, folder: Path, split: Split) -> None:
        pack = Pack(folder)
        faces = [Face(pack.read(item), item.about) for item in pack.of("font", split)]
        by_script = {script: [face for face in faces if script in face.scripts] for script in SHARES}
        self._letters = {script: found for script, found in by_script.items() if found}
        self._shares = np.array([SHARES[script] for script in self._letters])
        self._symbols = [face for face in faces if face.symbols]
        self._logos = [_logo(pack.read(item)) for item in pack.of("logo", split)]
        if not self._letters:
            raise ValueError(f"{folder} holds no font of the split {split}.")

    def draw(self, rng: Generator, height: int, width: int, style: Style) -> Mark:
        """A mark for a picture of that size: one stamp, or a carpet of them."""
        side = min(height, width)
        low, high = style.height
        tall = max(8, round(side * low * (high / low) ** rng.random()))
        opacity = 1.0 if rng.random() < style.opaque else rng.uniform(*style.opacity)
        stamp = self._stamp(rng, tall, 4 * side)
        shape = height, width
        angle = 0.0 if rng.random() < 0.45 else rng.choice([-45, 45, -30, 30, rng.uniform(-90, 90)])
        tiled = rng.random() < style.tiled
        placed = _carpet(stamp, rng, shape, angle) if tiled else _single(stamp, rng, shape, angle)
        soft = 0.0 if rng.random() < 0.7 else rng.uniform(0.3, 0.9)
        placed = cv2.GaussianBlur(placed, (0, 0), soft) if soft else placed
        alpha = placed[..., 3:]
        colour = np.divide(placed[..., :3], alpha, out=np.zeros_like(placed[..., :3]), where=alpha > 1e-3)
        return Mark(np.asarray(alpha[..., 0] * opacity, float32), np.asarray(colour.clip(0, 1), float32), tiled)

    def _stamp(self, rng: Generator, tall: int, longest: int) -> Stamp:
        """One text or logo."""
        roll = rng.random()
        if roll < 0.12 and self._logos:
            stamp = self._logos[rng.integers(len(self._logos))]
            if rng.random() < 0.4:  # in one colour, as most marks are
                stamp = stamp[..., 3:] * np.append(some_colour(rng), 1).astype(float32)
            tall = max(tall, 24)
        elif roll < 0.25 and self._symbols:
            tall = max(tall, 20)
            stamp = self._drawn(rng, self._symbols, "", tall)
        else:
            stamp = self.lettered(rng, tall)
            if rng.random() < 0.12:
                stamp = _stack(stamp, self.lettered(rng, max(8, tall // 2)))
        if rng.random() < 0.12:
            stamp = bend(stamp, rng)
        scale = min(tall / stamp.shape[0], longest / stamp.shape[1])
        size = max(4, round(stamp.shape[1] * scale)), max(4, round(stamp.shape[0] * scale))
        return cv2.resize(stamp, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)

    def lettered(self, rng: Generator, tall: int) -> Stamp:
        """A text in some script, about as tall as asked for."""
        script = str(rng.choice(list(self._letters), p=self._shares / self._shares.sum()))
        return self._drawn(rng, self._letters[script], script, tall)

    def _drawn(self, rng: Generator, faces: list[Face], script: str, tall: int) -> Stamp:
        face = faces[rng.integers(len(faces))]
        size = next((one for one in (16, 24, 36, 54, 80) if one >= tall), 120)
        font, text = face.at(size), face.text(rng, script)
        thick = max(1, size // int(rng.integers(12, 30))) if rng.random() < 0.3 else 0
        left, top, right, bottom = font.getbbox(text, stroke_width=thick)
        around = max(2, size // 6)
        extent = round(right - left) + 2 * around, round(bottom - top) + 2 * around
        at = around - left, around - top

        def coverage(stroke: int, x: float = 0, y: float = 0) -> Plane:
            plane = Image.new("L", extent)
            ImageDraw.Draw(plane).text((at[0] + x, at[1] + y), text, fill=255, font=font, stroke_width=stroke)
            return np.asarray(plane, float32) / float32(255)

        colour = some_colour(rng)
        layers = [(coverage(0), colour)]
        if thick:
            outline = coverage(thick)
            if rng.random() < 0.35:  # only the outline
                layers = [((outline - layers[0][0]).clip(0, 1), colour)]
            else:
                layers.append((outline, _contrast(colour, rng)))
        if rng.random() < 0.2:
            offset = max(1, size / rng.uniform(10, 25))
            shadow = cv2.GaussianBlur(coverage(thick, offset, offset), (0, 0), rng.uniform(0.5, 2.5))
            layers.append((shadow * rng.uniform(0.4, 0.9), np.zeros(3) if rng.random() < 0.8 else some_colour(rng)))
        return _layered(layers)


def _logo(data: bytes) -> Stamp:
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), float32) / 255
    return np.dstack([pixels[..., :3] * pixels[..., 3:], pixels[..., 3]])


def some_colour(rng: Generator) -> NDArray[Any]:
    """White and greys above all, as on real marks; then any."""
    roll = rng.random()
    if roll < 0.4:
        return np.full(3, rng.uniform(0.85, 1))
    if roll < 0.55:
        return np.full(3, rng.uniform(0, 0.15))
    return np.full(3, rng.random()) if roll < 0.7 else rng.random(3)


def _contrast(colour: NDArray[Any], rng: Generator) -> NDArray[Any]:
    return np.full(3, float(colour.mean() < 0.5)) if rng.random() < 0.7 else rng.random(3)


def _layered(layers: list[tuple[Plane, NDArray[Any]]]) -> Stamp:
    """One stamp of several coverages with a colour each, the first on top."""
    result = np.zeros((*layers[0][0].shape, 4), float32)
    for coverage, colour in reversed(layers):
        above = coverage[..., None] * np.append(colour, 1).astype(float32)
        result = above + (1 - coverage[..., None]) * result
    return result


def _stack(first: Stamp, second: Stamp) -> Stamp:
    """One above the other, centred."""
    wide = max(first.shape[1], second.shape[1])
    rows = [
        np.pad(one, ((0, 0), ((wide - one.shape[1]) // 2, -(-(wide - one.shape[1]) // 2)), (0, 0)))
        for one in (first, second)
    ]
    return np.concatenate(rows)


def bend(stamp: Stamp, rng: Generator) -> Stamp:
    """The stamp along an arc or a wave."""
    height, width = stamp.shape[:2]
    lift = rng.uniform(0.3, 1.2) * height * (1 if rng.random() < 0.5 else -1)
    along = np.linspace(-1, 1, width)
    shift = lift * (along**2 if rng.random() < 0.6 else np.sin(along * np.pi) / 2)
    shift -= shift.min()
    rows = np.arange(height + int(shift.max()) + 1)[:, None] - shift[None]
    columns = np.broadcast_to(np.arange(width), rows.shape)
    return cv2.remap(stamp, columns.astype(float32), rows.astype(float32), cv2.INTER_LINEAR)


def _single(stamp: Stamp, rng: Generator, shape: tuple[int, int], angle: float) -> Stamp:
    """The stamp once, anywhere, at least half of it inside."""
    height, width = shape
    centre = rng.uniform(0.08, 0.92) * width, rng.uniform(0.08, 0.92) * height
    turn = cv2.getRotationMatrix2D((stamp.shape[1] / 2, stamp.shape[0] / 2), angle, 1)
    turn[:, 2] = turn[:, 2] + np.array(centre) - (stamp.shape[1] / 2, stamp.shape[0] / 2)
    return cv2.warpAffine(stamp, turn, (width, height), flags=cv2.INTER_LINEAR)


def _carpet(stamp: Stamp, rng: Generator, shape: tuple[int, int], angle: float) -> Stamp:
    """The stamp again and again, rows shifted or not, turned as a whole."""
    height, width = shape
    gap = rng.uniform(0.1, 1.5, 2) * stamp.shape[0]
    cell = np.pad(stamp, ((0, int(gap[0]) + 1), (0, int(gap[1]) + 1), (0, 0)))
    if rng.random() < 0.5:
        cell = np.concatenate([cell, np.roll(cell, cell.shape[1] // 2, axis=1)])
    diagonal = int(np.hypot(height, width)) + 1
    start = rng.integers(0, cell.shape[0]), rng.integers(0, cell.shape[1])
    rows = (np.arange(diagonal) + start[0]) % cell.shape[0]
    columns = (np.arange(diagonal) + start[1]) % cell.shape[1]
    turn = cv2.getRotationMatrix2D((diagonal / 2, diagonal / 2), angle, 1)
    turn[:, 2] = turn[:, 2] + np.array([width, height]) / 2 - diagonal / 2
    return cv2.warpAffine(cell[rows[:, None], columns], turn, (width, height), flags=cv2.INTER_LINEAR)
