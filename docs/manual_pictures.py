"""The pictures of docs/masks.md, made anew by this service's own engine: `.venv/bin/python docs/manual_pictures.py`.

They are made of the home page's examples (static/examples/README.md).
"""

import os
import sys
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402
from PIL import Image, ImageDraw, ImageFilter, ImageFont  # noqa: E402

django.setup()

from inpainting import removal  # noqa: E402
from inpainting.images import SizeLimit  # noqa: E402
from inpainting.options import Options  # noqa: E402
from inpainting.saved_marks.saved import logo_of  # noqa: E402

GAP, QUALITY = 6, 80
HIKERS = 218, 340, 404, 446  # left, top, right, bottom
WORDS = 60, 262, 790, 350
BADGE = 640, 60, 780, 200


def removed(picture: Image.Image, mask: Image.Image | None = None, **options: object) -> Image.Image:
    """What remove-watermark answers."""
    files = [None if each is None else _png(each) for each in (picture, mask)]
    job = removal.Job.read(files[0], Options(**options), SizeLimit.of(None, None), mask=files[1])
    return Image.fromarray(removal.remove(job).picture.rgb)


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def example(name: str) -> Image.Image:
    return Image.open(ROOT / f"static/examples/{name}-before.webp").convert("RGB")


def ellipse(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    """A mask, white in the ellipse."""
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse(box, 255)
    return mask


def badge(photo: Image.Image) -> Image.Image:
    """An opaque badge with a soft shadow around it."""
    shadow = ellipse(photo.size, (BADGE[0] - 4, BADGE[1] - 2, BADGE[2] + 6, BADGE[3] + 8))
    photo.paste("black", mask=shadow.filter(ImageFilter.GaussianBlur(7)).point(lambda value: value // 2))
    photo.paste((190, 40, 50), mask=ellipse(photo.size, BADGE))
    ImageDraw.Draw(photo).text((710, 130), "NEWS", "white", ImageFont.load_default(38), anchor="mm")
    return photo


def logo() -> Image.Image:
    """A ring and a name, opaque on nothing."""
    mark = Image.new("RGBA", (190, 56), (255, 255, 255, 0))
    draw = ImageDraw.Draw(mark)
    draw.ellipse((4, 4, 52, 52), outline=(200, 40, 50, 255), width=11)
    draw.text((64, 28), "Dunes", "white", ImageFont.load_default(40), anchor="lm")
    return mark


def laid(photo: Image.Image, mark: Image.Image, opacity: float) -> Image.Image:
    """See-through, in the corner below right."""
    alpha = mark.getchannel("A").point(lambda value: round(value * opacity))
    photo.paste(mark.convert("RGB"), (photo.width - mark.width - 20, photo.height - mark.height - 16), alpha)
    return photo


def without_logo(picture: Image.Image, mark: Image.Image) -> Image.Image:
    """What remove-watermark answers with `mark`."""
    limit = SizeLimit.of(None, None)
    saved = logo_of(_png(mark), limit, {"anchor": "bottom-right", "scaling": "picture"})
    return Image.fromarray(removal.remove(removal.Job.marked(_png(picture), Options(), limit, saved)).picture.rgb)


def row(name: str, pictures: list[Image.Image], box: tuple[int, int, int, int]) -> None:
    """The same part of each, side by side."""
    parts = [picture.convert("RGB").crop(box) for picture in pictures]
    width, height = parts[0].size
    whole = Image.new("RGB", (len(parts) * (width + GAP) - GAP, height), "white")
    for number, part in enumerate(parts):
        whole.paste(part, (number * (width + GAP), 0))
    whole.save(ROOT / f"static/manual/{name}.webp", "WEBP", quality=QUALITY, method=6)


def main() -> None:
    desert, lake = example("object"), example("text")
    hikers, words = Image.new("L", desert.size), Image.new("L", lake.size)
    ImageDraw.Draw(hikers).ellipse(HIKERS, 255)
    ImageDraw.Draw(words).rounded_rectangle(WORDS, 30, 255)
    row("mask", [desert, hikers, removed(desert, hikers)], (120, 250, 520, 472))

    modes = [lake, removed(lake, words, mode="restore"), removed(lake, words, mode="repaint")]
    row("modes", modes, (60, 220, 460, 420))

    marked, tight = badge(desert.copy()), ellipse(desert.size, BADGE)
    row("grow", [marked, removed(marked, tight), removed(marked, tight, grow=20)], (560, 20, 840, 240))

    marked = laid(desert.copy(), logo(), 0.6)
    corner = desert.width - 320, desert.height - 150, desert.width, desert.height
    row("logo", [marked, without_logo(marked, logo())], corner)


main()
