"""Makes static/example.jpg, a landscape of our own, marked and cleaned: what a first key and the tests send.

Run from the project's root: `DJANGO_SETTINGS_MODULE=config.settings .venv/bin/python docs/example.py`
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from inpainting import engine, masks

WIDTH, HEIGHT = 640, 420
OUTPUT = Path(__file__).resolve().parent.parent / "static" / "example.jpg"


def noise(rng: np.random.Generator, height: int, width: int, octaves: int) -> np.ndarray:
    """(height, width) in about -1..1: smooth at first, rougher with each octave (fractal noise)."""
    total = np.zeros((height, width))
    for octave in range(octaves):
        cells = 2 ** (octave + 2)
        grid = rng.normal(size=(max(2, cells * height // width), cells)).astype(np.float32)
        total += np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)) / 2**octave
    return total / 2


def landscape() -> np.ndarray:
    """(H, W, 3) uint8: evening sky with clouds over five ridges, each darker and rougher than the one behind it."""
    rng = np.random.default_rng(7)
    y = np.mgrid[0:HEIGHT, 0:WIDTH][0] / HEIGHT
    zenith, horizon = np.array([70, 110, 170]), np.array([250, 190, 130])
    sky = zenith + (horizon - zenith) * np.clip(y, 0, 0.7)[..., None] / 0.7
    clouds = np.clip(noise(rng, HEIGHT, WIDTH, 6) - 0.2 + 0.3 * (0.4 - y), 0, 1)[..., None]
    picture = sky + clouds * (np.array([255, 235, 220]) - sky) * 0.8
    for ridge in range(5):
        crest = 0.42 + 0.11 * ridge + 0.10 * noise(rng, 1, WIDTH, 7)[0]
        colour = np.array([120, 120, 140]) * (1 - ridge / 5.5) + np.array([30, 60, 35]) * ridge / 5.5
        texture = noise(rng, HEIGHT, WIDTH, 8)[..., None] * (6 + 7 * ridge)
        picture = np.where((y > crest)[..., None], colour + texture, picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


def mark() -> np.ndarray:
    """(H, W) uint8: 255 where the watermark is."""
    layer = Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(layer)
    draw.text((WIDTH / 2, HEIGHT * 0.52), "© SAMPLE", 255, ImageFont.load_default(92), anchor="mm")
    layer = layer.rotate(18, Image.Resampling.BICUBIC)
    return np.asarray(layer)


def main() -> None:
    clean, stamp = landscape(), mark()
    opacity = stamp[..., None] / 255 * 0.8
    marked = (clean * (1 - opacity) + 255 * opacity).round().astype(np.uint8)
    blend_mask = masks.grow((stamp > 0) * masks.WHITE, 2)
    result = engine.inpaint(marked, blend_mask).picture
    gap = np.full((HEIGHT, 12, 3), 255, np.uint8)
    Image.fromarray(np.hstack([marked, gap, result])).save(OUTPUT, quality=88)
    hole = blend_mask > 0
    error = np.mean((result[hole].astype(float) - clean[hole]) ** 2)
    print(f"{OUTPUT}: {10 * np.log10(255**2 / error):.1f} dB inside the hole, {hole.mean():.1%} of the picture")


if __name__ == "__main__":
    import django

    django.setup()
    main()
