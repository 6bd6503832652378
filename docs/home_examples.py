"""The home page's examples, made anew: `.venv/bin/python docs/home_examples.py FOLDER`.

FOLDER holds the three photographs that static/examples/README.md names. A mark is drawn on two of them, and this
service's own engine takes it off again, from the file that the page shows.
"""

import os
import sys
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402

django.setup()

from inpainting import encoding, removal  # noqa: E402
from inpainting.images import SizeLimit  # noqa: E402
from inpainting.options import Options  # noqa: E402

SIZE = (840, 472)
QUALITY = 76
HIKERS = '[{"x": 234, "y": 372, "width": 150, "height": 62}]'


def letters(text: str, size: int, alpha: int, turn: float = 0) -> Image.Image:
    """White text of this opacity (0 to 255) with a soft edge, on nothing."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = map(int, font.getbbox(text))
    drawn = Image.new("RGBA", (right - left + 8, bottom - top + 8), (255, 255, 255, 0))
    ImageDraw.Draw(drawn).text((4 - left, 4 - top), text, (255, 255, 255, alpha), font)
    return drawn.rotate(turn, Image.Resampling.BICUBIC, expand=True)


def text(photo: Image.Image) -> None:
    mark = letters("© Anna Berg Photo", 74, 120)
    photo.alpha_composite(mark, ((photo.width - mark.width) // 2, 268))


def tiled(photo: Image.Image) -> None:
    mark = letters("SAMPLE", 30, 105, 30)
    for row, y in enumerate(range(-20, photo.height, 110)):
        for x in range(-60 + row % 2 * 90, photo.width, 180):
            layer = Image.new("RGBA", photo.size, (0, 0, 0, 0))
            layer.paste(mark, (x, y))
            photo.alpha_composite(layer)


def object_(photo: Image.Image) -> None:
    """The hikers are in the photograph already."""


EXAMPLES = [
    ("text", "lake-sherburne.jpg", text, None),
    ("tiled", "tea-gardens.jpg", tiled, None),
    ("object", "extreme-desert-hike.jpg", object_, HIKERS),
]


def photograph(folder: Path, name: str) -> Image.Image:
    """Cut to SIZE around its middle."""
    picture = Image.open(folder / name).convert("RGBA")
    height = picture.width * SIZE[1] // SIZE[0]
    top = (picture.height - height) * 2 // 3
    return picture.crop((0, top, picture.width, top + height)).resize(SIZE, Image.Resampling.LANCZOS)


def main(folder: Path) -> None:
    for name, source, draw, rectangles in EXAMPLES:
        photo = photograph(folder, source)
        draw(photo)
        before = BytesIO()
        photo.convert("RGB").save(before, "WEBP", quality=QUALITY, method=6)
        (ROOT / f"static/examples/{name}-before.webp").write_bytes(before.getvalue())
        removed = removal.remove(
            removal.Job.read(before.getvalue(), Options(), SizeLimit.of(None, None), rectangles=rectangles)
        )
        after = Image.open(BytesIO(encoding.encode(removed.picture, "png", "strip")))
        after.save(ROOT / f"static/examples/{name}-after.webp", "WEBP", quality=QUALITY, method=6)


main(Path(sys.argv[1]))
