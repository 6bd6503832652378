"""Holes as users draw them, for training and evaluation: numpy and PIL only.

Shares and kinds are for a service that removes watermarks first and objects second; LaMa's paper trains on thick
strokes and boxes alone.
"""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from inpainting.engine.interface import Hole

Draw = Callable[[ImageDraw.ImageDraw, np.random.Generator, int], None]

FONTS = Path("/usr/share/fonts")
LETTERS = "AaBbCcDdEeFfGgHhIiKkLlMmNnOoPpRrSsTtUuVvWwXxYyZz0123456789©®@.&-"
SMALLEST, LARGEST = 0.004, 0.6  # share of the picture; what is drawn outside of that is drawn again
TRIES = 100


def sample(rng: np.random.Generator, height: int, width: int) -> Hole:
    """A hole of a random kind, by `SHARES`: (height, width)."""
    kinds = list(SHARES)
    return draw(kinds[rng.choice(len(kinds), p=list(SHARES.values()))], rng, height, width)


def draw(kind: str, rng: np.random.Generator, height: int, width: int) -> Hole:
    """A hole of one kind (`SHARES` names them): (height, width). It covers between SMALLEST and LARGEST of it."""
    side = min(height, width)
    for _ in range(TRIES):
        canvas = Image.new("L", (width, height))
        DRAWN[kind](ImageDraw.Draw(canvas), rng, side)
        if kind in TURNED:
            canvas = canvas.rotate(_angle(rng), Image.Resampling.BILINEAR)
        if kind in WIDENED:  # whoever paints over letters paints a little beside them too
            canvas = canvas.filter(ImageFilter.MaxFilter(2 * int(rng.integers(0, 4)) + 1))
        hole: Hole = np.asarray(canvas) > 127
        if SMALLEST <= hole.mean() <= LARGEST:
            return hole
    raise ValueError(f"No {kind} fits into {width}x{height} pixels.")


def _text(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    """A line across, or the same word tiled over everything."""
    width, height = pen.im.size
    size = rng.uniform(0.06, 0.3) * side
    word = "".join(rng.choice(list(LETTERS), rng.integers(3, 14)))
    font = _font(rng, max(8, int(size)))
    if rng.random() < 0.6:
        at = rng.uniform(-0.1, 0.5) * width, rng.uniform(0, 0.8) * height
        outline = int(rng.integers(0, 3)) if rng.random() < 0.3 else 0
        pen.text(at, word, fill=255, font=font, stroke_width=outline)
        return
    step_x, step_y = pen.textlength(word, font) + size * rng.uniform(0.5, 3), size * rng.uniform(2, 5)
    for row, y in enumerate(np.arange(-step_y, height + step_y, step_y)):
        for x in np.arange(-step_x * (1 + row % 2 / 2), width, step_x):
            pen.text((x, y), word, fill=255, font=font)


def _logo(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    """A ring, star or shield with something cut out of it, often with letters beside it."""
    radius = rng.uniform(0.06, 0.22) * side
    x, y = (rng.uniform(0.1, 0.9) * extent for extent in pen.im.size)
    points, inner = int(rng.integers(3, 9)), rng.uniform(0.35, 1)
    outline = [
        (x + radius * r * math.cos(a), y + radius * r * math.sin(a))
        for a, r in ((math.pi * i / points, 1 if i % 2 else inner) for i in range(2 * points))
    ]
    if rng.random() < 0.4:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    else:
        pen.polygon(outline, fill=255)
    cut = radius * rng.uniform(0.2, 0.7)
    if rng.random() < 0.6:
        pen.ellipse((x - cut, y - cut, x + cut, y + cut), fill=0)
    if rng.random() < 0.5:
        word = "".join(rng.choice(list(LETTERS), rng.integers(3, 9)))
        pen.text((x + 1.3 * radius, y - radius / 2), word, fill=255, font=_font(rng, max(8, int(radius))))


def _thin(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    """Scratches, wires, hairs: a few pixels wide whatever the picture's size."""
    for _ in range(rng.integers(2, 9)):
        _stroke(pen, rng, side, rng.uniform(1.5, 6))


def _thick(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    for _ in range(rng.integers(1, 5)):
        _stroke(pen, rng, side, rng.uniform(0.05, 0.18) * side)


def _stroke(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int, width: float) -> None:
    """A polyline with round joints, as a brush leaves it."""
    x, y = (rng.uniform(0, extent) for extent in pen.im.size)
    angle, points = rng.uniform(0, 2 * math.pi), [(x, y)]
    for _ in range(rng.integers(2, 8)):
        angle += rng.normal(0, 0.7)
        step = rng.uniform(0.08, 0.3) * side
        x, y = x + step * math.cos(angle), y + step * math.sin(angle)
        points.append((x, y))
    pen.line(points, fill=255, width=max(1, round(width)), joint="curve")
    radius = width / 2
    for x, y in (points[0], points[-1]):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _box(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    for _ in range(rng.integers(1, 4)):
        width, height = rng.uniform(0.08, 0.5, 2) * side
        left, top = (rng.uniform(-0.1, 0.9) * extent for extent in pen.im.size)
        pen.rectangle((left, top, left + width, top + height), fill=255)


def _blob(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    """An outline as of a person, an animal, a car: smooth, no circle, in one piece."""
    for _ in range(rng.integers(1, 3)):
        angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
        radius = np.ones_like(angles)
        for wave in range(1, 6):
            radius += rng.normal(0, 0.35) / wave * np.cos(wave * angles + rng.uniform(0, 2 * math.pi))
        radius = np.clip(radius, 0.25, 2) * rng.uniform(0.06, 0.2) * side
        x, y = (rng.uniform(0.1, 0.9) * extent for extent in pen.im.size)
        stretch = rng.uniform(0.6, 1.6)
        xs, ys = x + radius * np.cos(angles) * stretch, y + radius * np.sin(angles) / stretch
        pen.polygon([(float(a), float(b)) for a, b in zip(xs, ys, strict=True)], fill=255)


DRAWN: dict[str, Draw] = {
    "text": _text,
    "logo": _logo,
    "thin": _thin,
    "thick": _thick,
    "box": _box,
    "object": _blob,
}
SHARES = {"text": 0.33, "logo": 0.10, "thin": 0.10, "thick": 0.24, "box": 0.10, "object": 0.13}
TURNED = ("text", "logo")
WIDENED = ("text", "logo")


def _angle(rng: np.random.Generator) -> float:
    """Degrees: mostly level, often slanted as watermarks are."""
    slants = 0, rng.uniform(-10, 10), rng.uniform(20, 50), rng.uniform(-50, -20)
    return float(rng.choice(slants, p=(0.4, 0.2, 0.3, 0.1)))


def _font(rng: np.random.Generator, size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    fonts = _fonts()
    return _loaded(fonts[rng.integers(len(fonts))], size) if fonts else ImageFont.load_default(size)


@cache
def _fonts() -> list[Path]:
    """The machine's fonts that have letters; without any, Pillow's own serves."""
    found = sorted(path for path in FONTS.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    return [path for path in found if _has_letters(path)]


def _has_letters(path: Path) -> bool:
    try:
        font = ImageFont.truetype(str(path), 20)
    except OSError:
        return False
    # A font without Latin letters draws the same box for all of them.
    return font.getmask("i").getbbox() != font.getmask("W").getbbox()


@cache
def _loaded(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)
