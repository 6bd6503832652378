"""The fonts and logos of one split, and single words and icons drawn with them."""

import io
from pathlib import Path

import cv2
import numpy as np
from numpy import float32
from numpy.random import Generator
from PIL import Image, ImageDraw

from training.data.faces import SHARES, Face
from training.data.marks.stamp import Plane, Stamp, contrast, flatten, paint, some_colour
from training.data.pack import Pack, Split

SIZES = 16, 24, 36, 54, 80, 120  # pixels; few, since stamps are resized anyway


class Letters:
    def __init__(self, folder: Path, split: Split) -> None:
        """ValueError: the set holds no font of that split."""
        pack = Pack(folder)
        faces = [Face(pack.read(item), item.about) for item in pack.of("font", split)]
        by_script = {script: [face for face in faces if script in face.scripts] for script in SHARES}
        self._faces = {script: found for script, found in by_script.items() if found}
        self._shares = np.array([SHARES[script] for script in self._faces])
        self.symbols = [face for face in faces if face.symbols]
        self.logos = [_logo(pack.read(item)) for item in pack.of("logo", split)]
        if not self._faces:
            raise ValueError(f"{folder} holds no font of the split {split}.")

    def script(self, rng: Generator) -> str:
        return str(rng.choice(list(self._faces), p=self._shares / self._shares.sum()))

    def face(self, rng: Generator, script: str = "latin") -> Face:
        """Any font of that script, or of the first there is."""
        faces = self._faces.get(script) or next(iter(self._faces.values()))
        return faces[rng.integers(len(faces))]

    def any_text(self, rng: Generator, tall: int) -> Stamp:
        """A text in some script, about as tall as asked for."""
        script = self.script(rng)
        return draw_text(rng, self._faces[script], script, tall)

    def symbol(self, rng: Generator, tall: int) -> Stamp:
        return draw_text(rng, self.symbols, "", tall)

    def icon(self, rng: Generator, tall: int) -> Stamp:
        """A logo in its own colours or in one, a symbol, or the initial of a name on a shape: about so tall."""
        roll = rng.random()
        if roll < 0.45 and self.logos:
            logo = self.logos[rng.integers(len(self.logos))]
            return paint(logo[..., 3], some_colour(rng)) if rng.random() < 0.6 else logo
        if roll < 0.75 and self.symbols:
            face = self.symbols[rng.integers(len(self.symbols))]
            return paint(line(face, face.text(rng, ""), tall), some_colour(rng))
        return self._initial(rng, max(16, tall))

    def _initial(self, rng: Generator, side: int) -> Stamp:
        """A letter in a disc, ring or square, or cut out of it."""
        shape, middle = np.zeros((side, side), np.uint8), side // 2
        if rng.random() < 0.6:
            cv2.circle(shape, (middle, middle), middle - 1, 255, -1, cv2.LINE_AA)
            if rng.random() < 0.4:
                thin = max(1, side // int(rng.integers(10, 20)))
                cv2.circle(shape, (middle, middle), middle - 1 - thin, 0, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(shape, (1, 1), (side - 2, side - 2), 255, -1)
        plane = shape.astype(float32) / 255
        text = "".join(rng.choice(list("ABCDEFGHKLMNOPRSTVWXZ"), rng.integers(1, 3)))
        letter = line(self.face(rng), text, side // 2)
        letter = letter[: side - 2, : side - 2]
        top, left = (side - letter.shape[0]) // 2, (side - letter.shape[1]) // 2
        placed = np.zeros_like(plane)
        placed[top : top + letter.shape[0], left : left + letter.shape[1]] = letter
        colour = some_colour(rng)
        if plane[middle, 2 * side // 5] < 0.5 or rng.random() < 0.5:
            return paint(np.abs(plane - placed), colour)
        return flatten([(placed * plane, contrast(colour, rng)), (plane, colour)])


def line(face: Face, text: str, tall: int, stroke: float = 0.0) -> Plane:
    """A text's coverage, without empty columns; `stroke`: wider by so much of its size.

    From the top of a capital to below the line it is `tall` pixels high, so that all lines of a font are of one size.
    """
    size = next((one for one in SIZES if one >= 1.2 * tall), SIZES[-1])
    font, thick = face.at(size), round(stroke * size)
    left, _, right, _ = font.getbbox(text, stroke_width=thick)
    _, highest, _, lowest = font.getbbox(text if face.symbols else text + "Hg", stroke_width=thick)
    extent = max(1, int(np.ceil(right - left))) + 2, max(1, int(np.ceil(lowest - highest))) + 2
    plane = Image.new("L", extent)
    ImageDraw.Draw(plane).text((1 - left, 1 - highest), text, fill=255, font=font, stroke_width=thick)
    first, _, last, _ = plane.getbbox() or (0, 0, *extent)
    ink = np.asarray(plane, float32)[:, first:last] / float32(255)
    scale = tall / ink.shape[0]
    to = max(2, round(ink.shape[1] * scale)), max(2, tall)
    return np.asarray(cv2.resize(ink, to, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), float32)


def draw_text(rng: Generator, faces: list[Face], script: str, tall: int) -> Stamp:
    """A text in one of the fonts, filled or outlined, maybe with a shadow."""
    face = faces[rng.integers(len(faces))]
    size = next((one for one in SIZES[:-1] if one >= tall), SIZES[-1])
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
            layers.append((outline, contrast(colour, rng)))
    if rng.random() < 0.2:
        offset = max(1, size / rng.uniform(10, 25))
        shadow = cv2.GaussianBlur(coverage(thick, offset, offset), (0, 0), rng.uniform(0.5, 2.5))
        layers.append((shadow * rng.uniform(0.4, 0.9), np.zeros(3) if rng.random() < 0.8 else some_colour(rng)))
    return flatten(layers)


def _logo(data: bytes) -> Stamp:
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), float32) / 255
    return np.dstack([pixels[..., :3] * pixels[..., 3:], pixels[..., 3]])
