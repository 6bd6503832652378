"""Puts lettering into a picture, where it belongs to what is seen: opaque, in perspective, lit and blurred with it."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.random import Generator

from training.data.marks import wording
from training.data.marks.letters import Letters, line
from training.data.marks.stamp import Colours, Plane, some_colour
from training.data.pack import Picture
from training.data.signs.boards import lettering
from training.data.signs.pages import cover, ink_on, page, receipt
from training.data.signs.screens import chart, interface

Sheet = Callable[[Letters, Generator, int, int], Colours]

SHEETS: dict[Sheet, float] = {page: 0.35, receipt: 0.12, cover: 0.25, interface: 0.2, chart: 0.08}


def add_lettering(picture: Picture, letters: Letters, rng: Generator) -> Picture:
    """The picture with some lettering of its own, or a sheet or screen in its place."""
    roll = rng.random()
    if roll < 0.3:
        return lettering(picture, letters, rng)
    if roll < 0.42:
        return _subtitle(picture, letters, rng)
    if roll < 0.52:
        return _print_on(picture, letters, rng)
    sheet = list(SHEETS)[rng.choice(len(SHEETS), p=list(SHEETS.values()))]
    height, width = picture.shape[:2]
    if roll < 0.74:
        return _bytes(sheet(letters, rng, height, width))
    tall, wide = int(height * rng.uniform(0.35, 1.3)), int(width * rng.uniform(0.35, 1.2))
    return _photograph(picture, sheet(letters, rng, tall, wide), rng)


def _photograph(picture: Picture, sheet: Colours, rng: Generator) -> Picture:
    """The sheet lies in the picture: turned, in perspective, in the light that falls there, a little blurred."""
    height, width = picture.shape[:2]
    tall, wide = sheet.shape[:2]
    angle = np.deg2rad(rng.normal(0, 12))
    corners = np.array([[-wide, -tall], [wide, -tall], [wide, tall], [-wide, tall]], float32) / 2
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    where = corners @ turn + rng.normal(0, 0.07, (4, 2)) * (wide, tall)
    where += rng.uniform(0.3, 0.7, 2) * (width, height)
    warp = cv2.getPerspectiveTransform(corners - corners[0], where.astype(float32))
    shown = cv2.warpPerspective(sheet, warp, (width, height), flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(np.ones((tall, wide), float32), warp, (width, height))[..., None]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float32)
    light = cv2.GaussianBlur(grey, (0, 0), max(height, width) / rng.uniform(6, 14))
    light = (light / max(1.0, float(light.mean()))).clip(0.5, 1.3) * rng.uniform(0.55, 1.0)
    made = picture * (1 - cover) + 255 * cover * shown * light[..., None]
    made = cv2.GaussianBlur(made, (0, 0), rng.uniform(0.3, 1.4)) * cover + made * (1 - cover)
    return np.asarray(np.rint(made + cover * rng.normal(0, rng.uniform(0, 5), made.shape)).clip(0, 255), uint8)


def _subtitle(picture: Picture, letters: Letters, rng: Generator) -> Picture:
    """One line or two of a sentence below, with a rim or on a bar."""
    made = picture.astype(float32) / 255
    height, width = picture.shape[:2]
    small = max(7, int(height * rng.uniform(0.035, 0.08)))
    script = "latin" if rng.random() < 0.6 else letters.script(rng)
    face, rim = letters.face(rng, script), rng.random() < 0.6
    ink = np.array([1.0, 1.0, 1.0] if rng.random() < 0.75 else [1.0, 0.9, 0.2])
    for number in range(rng.integers(1, 3)):
        words = int(rng.integers(3, 8))
        text = wording.sentence(rng, words) if script == "latin" else face.text(rng, script)
        plane = line(face, text, small)
        if plane.shape[1] > 0.92 * width:
            plane = cv2.resize(plane, (int(0.92 * width), max(5, int(small * 0.92 * width / plane.shape[1]))))
        plane = np.pad(plane, 2)
        top, left = height - int((2.2 + 1.6 * number) * small), (width - plane.shape[1]) // 2
        back = cv2.dilate(plane, np.ones((3, 3), np.uint8)) if rim else np.ones_like(plane)
        ink_on(made, back, max(0, top), left, np.zeros(3))
        ink_on(made, plane, max(0, top), left, ink)
    return _bytes(made)


def _print_on(picture: Picture, letters: Letters, rng: Generator) -> Picture:
    """A print on what the picture shows, as on a shirt or a mug: bent with it, and in its light."""
    height, width = picture.shape[:2]
    stamp = letters.any_text(rng, max(10, int(height * rng.uniform(0.08, 0.3))))
    plane: Plane = stamp[..., 3]
    scale = min(1.0, 0.7 * width / plane.shape[1], 0.5 * height / plane.shape[0])
    plane = cv2.resize(plane, (max(4, int(plane.shape[1] * scale)), max(4, int(plane.shape[0] * scale))))
    tall, wide = plane.shape
    canvas = np.zeros((height, width), float32)
    top, left = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
    canvas[top : top + tall, left : left + wide] = plane
    y, x = np.mgrid[:height, :width].astype(float32)
    across, down = (
        cv2.resize(rng.normal(0, tall / 5, (4, 4)).astype(float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    )
    cover = cv2.remap(canvas, x + across, y + down, cv2.INTER_LINEAR)
    cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.4, 1.2))[..., None]
    light = cv2.GaussianBlur(picture, (0, 0), 2).astype(float32).mean(2, keepdims=True) / 255
    paint = some_colour(rng) * (0.35 + light) * 255
    return np.asarray(np.rint(picture * (1 - cover) + paint.clip(0, 255) * cover).clip(0, 255), uint8)


def _bytes(sheet: Colours) -> Picture:
    return np.asarray(np.rint(255 * sheet).clip(0, 255), uint8)
