"""A saved mark apart from its row: what it looks like, and where a picture of any size should have it."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy import uint8
from numpy.typing import NDArray
from PIL import Image

from inpainting import encoding, images, masks
from inpainting.engine import Logo
from inpainting.engine.crops.boxes import Box, tight_boxes
from inpainting.engine.interface import BlendMask
from inpainting.images import Picture, SizeLimit

Kind = Literal["mask", "logo"]
KINDS: tuple[Kind, ...] = ("mask", "logo")
# The part of picture and mark that are laid on each other: down and across, 0 the first edge, 1 the last.
ANCHORS = {
    f"{down}-{across}" if (down, across) != ("middle", "centre") else "centre": (y, x)
    for down, y in (("top", 0.0), ("middle", 0.5), ("bottom", 1.0))
    for across, x in (("left", 0.0), ("centre", 0.5), ("right", 1.0))
}
WHOLE = "whole"  # it is stretched over each picture
# Those, in words.
PLACES = [(WHOLE, "All over the picture"), *((name, name.replace("-", " ").capitalize()) for name in ANCHORS)]
SCALINGS = ("picture", "pixels")  # with the picture, or always as many pixels
# Of the picture's shorter side: how far from its place a logo is looked for, with and without one; at least pixels.
REACH, ANYWHERE, LEAST_REACH = 0.06, 0.25, 24


class InvalidMark(ValueError):
    pass


@dataclass(frozen=True)
class Place:
    """`down`, `right`: pixels from where the anchor alone would put it. `width`, `height`: of the mark there.

    `picture_width`, `picture_height`: of the picture on which that is so; None: unknown, and nothing is scaled.
    """

    anchor: str
    scaling: str
    width: int
    height: int
    down: float = 0.0
    right: float = 0.0
    picture_width: int | None = None
    picture_height: int | None = None

    def box(self, height: int, width: int) -> Box:
        """In a picture of that size; parts may be outside of it."""
        if self.anchor == WHOLE:
            return Box(0, 0, height, width)
        factor = 1.0
        if self.scaling == "picture" and self.picture_width and self.picture_height:
            factor = min(width / self.picture_width, height / self.picture_height)
        down, across = ANCHORS[self.anchor]
        tall, wide = max(1, round(self.height * factor)), max(1, round(self.width * factor))
        top = round(down * (height - tall) + self.down * factor)
        left = round(across * (width - wide) + self.right * factor)
        return Box(top, left, top + tall, left + wide)

    @classmethod
    def of(cls, box: Box, height: int, width: int, anchor: str, scaling: str) -> Place:
        """That puts a mark at this box of a picture of that size."""
        down, across = ANCHORS.get(anchor, (0.0, 0.0))
        off = box.top - down * (height - box.height), box.left - across * (width - box.width)
        return cls(anchor, scaling, box.width, box.height, *off, width, height)


@dataclass(frozen=True)
class Saved:
    """`file`: a grey PNG (mask: weights) or one with alpha (logo). `opacity`: of a logo, 0..1; None: unknown."""

    kind: Kind
    file: bytes
    place: Place
    opacity: float | None = None

    @property
    def pixels(self) -> int:
        """Of the file."""
        width, height = Image.open(io.BytesIO(self.file)).size
        return width * height

    def mask(self, height: int, width: int) -> BlendMask:
        """Of a picture of that size. Raises EmptyMask, MaskCoversEverything."""
        box, mark = self.place.box(height, width), self._pixels("L")
        mark = masks.scaled(masks.scaled(mark, box.height, 0), box.width, 1)
        mask = np.zeros((height, width), uint8)
        if box.meets(Box(0, 0, height, width)):
            inside = box.widened(0, height, width)
            mask[inside.slices] = mark[inside.moved(-box.top, -box.left).slices]
        return masks.checked(mask, "The saved mark does not lie in this picture, or covers it.")

    def logo(self, height: int, width: int) -> Logo:
        """Where a picture of that size should have it."""
        share = REACH if self.place.picture_width else ANYWHERE
        reach = max(LEAST_REACH, round(share * min(height, width)))
        return Logo(self._pixels("RGBA"), self.place.box(height, width), self.opacity, reach)

    def to_bytes(self) -> bytes:
        head = {"kind": self.kind, "place": asdict(self.place), "opacity": self.opacity}
        return json.dumps(head).encode() + b"\n" + self.file

    @classmethod
    def from_bytes(cls, stored: bytes) -> Saved:
        """What to_bytes gave."""
        head, _, file = stored.partition(b"\n")
        told = json.loads(head)
        return cls(told["kind"], file, Place(**told["place"]), told["opacity"])

    def _pixels(self, mode: str) -> NDArray[uint8]:
        return np.asarray(Image.open(io.BytesIO(self.file)).convert(mode))


def mask_of(data: bytes, limit: SizeLimit, anchor: str, scaling: str) -> Saved:
    """Of a mask as v1 reads it, as large as the picture it was made on. Raises what masks.py and images.py refuse."""
    with_size = images.decode(data, limit)
    blend = masks.blend(data, with_size, limit)
    height, width = blend.shape
    [box] = tight_boxes(blend > 0, Box(0, 0, height, width)) if anchor != WHOLE else [Box(0, 0, height, width)]
    file = encoding.encode_mask(blend[box.slices])
    return Saved("mask", file, Place.of(box, height, width, anchor, scaling))


def logo_of(data: bytes, limit: SizeLimit, asked: dict[str, Any]) -> Saved:
    """Of a picture with alpha. `asked`: anchor, scaling, opacity; x, y, picture_width and picture_height, all or none.

    Raises InvalidMark, and what images.py refuses.
    """
    logo: Picture = images.decode(data, limit)
    if logo.alpha is None or logo.alpha.all() or not logo.alpha.any():
        raise InvalidMark("A logo needs an alpha channel in which some pixels are transparent and some are not.")
    [box] = tight_boxes(logo.alpha > 0, Box(0, 0, logo.height, logo.width))
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([logo.rgb[box.slices], logo.alpha[box.slices]])).save(buffer, "PNG")
    place = Place(asked["anchor"], asked["scaling"], box.width, box.height)
    if "x" in asked:
        at = box.moved(asked["y"], asked["x"])
        place = Place.of(at, asked["picture_height"], asked["picture_width"], asked["anchor"], asked["scaling"])
    return Saved("logo", buffer.getvalue(), place, asked.get("opacity"))
