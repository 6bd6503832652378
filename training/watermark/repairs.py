"""Learns which repair of a mark leaves the least trace (inpainting/repair.py), on rendered marks whose truth is known.

A mark is rendered, found by the network, restored and repainted. What is learned is the log of the perceptual distance
from the truth after the one over that after the other, from measures that need no truth.
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple, fields, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy import float32, uint8
from numpy.random import Generator
from numpy.typing import NDArray

from inpainting import engine, masks, repair
from inpainting.engine import Detection
from inpainting.repair import Mark, Measures
from training.data.examples import Example, make, piece
from training.data.marks.draw import Marks
from training.data.marks.mark import Style
from training.data.pack import Picture, Pictures
from training.evaluate.metrics import distances
from training.features import Features

STYLE = Style(opacity=(0.12, 0.95), opaque=0.25, height=(0.04, 0.3), tiled=0.0)
SMALLEST, SIDE = 384, 576  # pixels: the longer side of a picture, at least and at most
SEEN = 0.3  # share of a rendered mark that must be found, for its repairs to be compared
RIDGE = 2.0  # pulls the weights of standardised measures to zero, by as many observations
GHOSTS = 0.12  # log of the factor in perceptual distance by which repainting is favoured: chosen by eye, on real marks


def learn(data: Path, count: int, say: Callable[[str], None]) -> Measures:
    """The weights of the measures, from so many rendered pictures."""
    rows = list(compared(data, count, say))
    if len(rows) < 20:
        raise ValueError(f"Only {len(rows)} of {count} marks were found: too few to learn from.")
    measures = np.array([astuple(one)[1:] for one, _ in rows])
    mean, spread = measures.mean(0), measures.std(0) + 1e-6
    x = np.c_[np.ones(len(rows)), (measures - mean) / spread]
    pull = np.diag([0.0, *[RIDGE] * len(mean)])
    constant, *weights = np.linalg.solve(x.T @ x + pull, x.T @ np.array([gain for _, gain in rows]))
    scaled = np.array(weights) / spread
    learned = Measures(float(constant - scaled @ mean + GHOSTS), *(float(one) for one in scaled))
    right = sum((np.dot(astuple(learned), astuple(one)) > GHOSTS) == (gain > 0) for one, gain in rows)
    say(f"repairs: {right} of {len(rows)} chosen as the distance says, before ghosts count for more")
    say(", ".join(f"{field.name}={getattr(learned, field.name):.3f}" for field in fields(learned)))
    return learned


def compared(data: Path, count: int, say: Callable[[str], None]) -> Iterator[tuple[Measures, float]]:
    """Of each mark that is found: its measures, and the log of the distance after restoring over after repainting."""
    pictures, marks, features = Pictures(data, "train"), Marks(data, "train"), Features()
    for number in range(count):
        rng = np.random.default_rng([77, number])
        whole = piece(pictures[int(rng.integers(len(pictures)))], rng, SMALLEST, SIDE)
        marked, clean, truth = degraded(make(whole, marks, rng, STYLE, unmarked=0.0), rng)
        found = isolated(engine.detect(marked, trust="all"), truth)
        for mark in repair.marks(found):
            yield repair.measured(mark, *planes(found, mark)), gain(marked, clean, found, mark, features)
        if number % 50 == 49:
            say(f"repairs: {number + 1} of {count} pictures")


def degraded(example: Example, rng: Generator) -> tuple[Picture, Picture, NDArray[np.bool_]]:
    """The marked picture as it comes back from the web, the clean one at its size, and which pixels are marked."""
    pictures = [example.marked, example.clean]
    truth = example.mark.truth(example.clean)[0].astype(uint8)
    roll = rng.random()
    if roll < 0.3:
        scale = rng.uniform(0.7, 1.3)
        size = round(scale * truth.shape[1]), round(scale * truth.shape[0])
        pictures = [np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), uint8) for one in pictures]
        truth = np.asarray(cv2.resize(truth, size), uint8)
    elif roll < 0.45:
        blurred = cv2.GaussianBlur(pictures[0], (0, 0), 1.2)
        pictures[0] = np.asarray(cv2.addWeighted(pictures[0], 1.5, blurred, -0.5, 0), uint8)
    elif roll > 0.7:
        _, coded = cv2.imencode(".jpg", pictures[0], [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(60, 90))])
        pictures[0] = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), uint8)
    return pictures[0], pictures[1], truth > 0


def isolated(found: Detection, truth: NDArray[np.bool_]) -> Detection:
    """The detection without what lies elsewhere; nothing where too little of the mark was found."""
    mask = found.mask & (cv2.dilate(truth.astype(uint8), np.ones((17, 17), uint8)) > 0)
    if mask.sum() < max(120, SEEN * truth.sum()):
        mask = np.zeros_like(mask)
    return replace(found, mask=mask)


def planes(found: Detection, mark: Mark) -> tuple[NDArray[float32], Picture]:
    return found.opacity[mark.box.slices], found.restored[mark.box.slices]


def gain(marked: Picture, clean: Picture, found: Detection, mark: Mark, features: Features) -> float:
    """Log of the perceptual distance from the truth after restoring over that after repainting, within the shape."""
    box = mark.box.slices
    weights = np.zeros(marked.shape[:2], uint8)
    weights[box] = mark.shape * masks.WHITE
    restored = np.where(found.touched[..., None], found.restored, marked)
    repainted = engine.inpaint(marked, weights, "hybrid").picture
    hole = torch.from_numpy(mark.shape)[None, None].float()
    real, *made = (
        torch.from_numpy(one[box].copy()).permute(2, 0, 1)[None].float() / 255 for one in (clean, restored, repainted)
    )
    with torch.inference_mode():
        ghost, invented = (max(0.1, float(np.mean(distances(features, one, real, hole)))) for one in made)
    return float(np.log(ghost / invented))
