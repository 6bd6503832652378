"""How good an inpainter is on pictures it was never trained on, beside the fills that need no weights.

Every method gets the same pictures and holes of 512 x 512 pixels and is judged inside the hole only. The service's own
inpainters are judged as users get them, with their crops, in the service's own precision.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from inpainting.engine.crops.paint import paint
from inpainting.engine.inpainters.hybrid import HybridInpainter, load
from inpainting.engine.inpainters.patchmatch import PatchMatch
from inpainting.engine.inpainters.smooth.push_pull import push_pull
from inpainting.engine.inpainters.smooth.surfaces import biharmonic, harmonic
from inpainting.engine.interface import Hole, Inpainter, Picture
from inpainting.engine.nets.weighing import Weighing
from inpainting.engine.registry import INPAINTERS
from training import TrainingError
from training.data import masks
from training.data.batches import to_tensors
from training.data.pack import Pictures
from training.evaluate import metrics
from training.features import Features

KINDS = {"text": "text", "thin": "thin", "wide": "thick", "object": "object"}  # of hole, and as `masks` names them
SIDE = 512  # pixels
RADIUS = 3  # pixels: OpenCV's inpaintRadius
SEED = 20_261_121  # the same pictures and holes every time
PIECE, SHOWN = 224, 6  # pixels of a picture, and pictures, on a contact sheet
LABEL = 16  # pixels: height of a sheet's captions
MAGENTA = np.array([255, 0, 255], np.uint8)  # a hole on a sheet

Row = dict[str, str | float]
Method = Callable[[Picture, Hole], Picture]


@dataclass(frozen=True)
class Case:
    kind: str
    picture: Picture  # (SIDE, SIDE, 3)
    hole: Hole


@dataclass(frozen=True)
class Result:
    """Of one method on one case."""

    psnr: float  # dB
    distance: float
    detail: float
    seconds: float


def methods(lamas: Mapping[str, Inpainter], hybrid: Weighing | None = None) -> dict[str, Method]:
    """What needs no weights, the hybrid with its embedded ones or others, and the inpainters given; by name."""
    return {
        "Telea": lambda picture, hole: _opencv(picture, hole, cv2.INPAINT_TELEA),
        "Navier-Stokes": lambda picture, hole: _opencv(picture, hole, cv2.INPAINT_NS),
        "push-pull": push_pull,
        "harmonic": harmonic,
        "biharmonic": biharmonic,
        "PatchMatch": _cropped("patchmatch", PatchMatch()),
        "hybrid": _cropped("hybrid", HybridInpainter(hybrid or load())),
        **{name: _cropped("lama", inpainter) for name, inpainter in lamas.items()},
    }


def cases(pictures: Pictures, count: int, side: int = SIDE) -> list[Case]:
    """Up to `count` photographs, each with a hole of every kind. TrainingError: none is large enough."""
    chosen: list[Picture] = []
    for index in np.random.default_rng(SEED).permutation(len(pictures)):
        item = pictures.items[index]
        if item.kind == "photo" and min(item.width, item.height) >= side and len(chosen) < count:
            chosen.append(_square(pictures[int(index)], side))
    if not chosen:
        raise TrainingError(f"None of the {len(pictures)} held-out pictures has {side} pixels a side.")
    return [
        Case(kind, picture, masks.draw(drawn, np.random.default_rng((SEED, column, row)), side, side))
        for column, (kind, drawn) in enumerate(KINDS.items())
        for row, picture in enumerate(chosen)
    ]


def evaluate(
    methods: dict[str, Method], cases: list[Case], features: Features, out: Path | None, watch: Callable[[], object]
) -> list[Row]:
    """A row for each method: PSNR, distance and detail in the hole by kind, and the median seconds.

    Means over pictures; of the detail, whose mean a plain picture would decide, the median.

    `out`: a folder for a contact sheet of each kind; None for none. `watch` is called after each case.
    """
    results: dict[tuple[str, str], list[Result]] = {(name, case.kind): [] for name in methods for case in cases}
    sheets: dict[str, list[np.ndarray]] = {case.kind: [] for case in cases}
    for case in cases:
        filled, seconds = {}, {}
        for name, method in methods.items():
            start = time.perf_counter()
            filled[name] = method(case.picture, case.hole)
            seconds[name] = time.perf_counter() - start
        for name, psnr, distance, detail in _judged(case, filled, features):
            results[name, case.kind].append(Result(psnr, distance, detail, seconds[name]))
        if len(sheets[case.kind]) < SHOWN:
            sheets[case.kind].append(_strip(case, filled))
        watch()
    if out:
        out.mkdir(parents=True, exist_ok=True)
        for kind, strips in sheets.items():
            captions = _captions(["original", "hole", *methods], strips[0].shape[0] - 2)
            Image.fromarray(np.concatenate([captions, *strips])).save(out / f"{kind}.png")
    return [_row(name, {kind: results[name, kind] for kind in sheets}) for name in methods]


def coverage(cases: list[Case]) -> dict[str, float]:
    """The share of the picture that holes of each kind take, on average, 0..1."""
    return {kind: float(np.mean([c.hole.mean() for c in cases if c.kind == kind])) for kind in KINDS}


def _row(name: str, by_kind: dict[str, list[Result]]) -> Row:
    row: Row = {"method": name}
    for kind, results in by_kind.items():
        row[f"{kind}: dB"] = round(float(np.mean([result.psnr for result in results])), 2)
        row[f"{kind}: dist"] = round(float(np.mean([result.distance for result in results])), 1)
        row[f"{kind}: detail"] = round(float(np.median([result.detail for result in results])), 2)
    return row | {"s": round(float(np.median([r.seconds for results in by_kind.values() for r in results])), 3)}


def _judged(case: Case, filled: dict[str, Picture], features: Features) -> Iterator[tuple[str, float, float, float]]:
    """Name, PSNR, distance and detail of each. What a method did outside the hole does not count."""
    device = features.mean.device
    real, hole = to_tensors(np.stack([case.picture]), case.hole[None], device)
    for name, picture in filled.items():
        made, _ = to_tensors(np.where(case.hole[..., None], picture, case.picture)[None], case.hole[None], device)
        distance = metrics.distances(features, made, real, hole)[0]
        yield name, metrics.psnr(made, real, hole), distance, metrics.detail(made, real, hole)


def _strip(case: Case, filled: dict[str, Picture]) -> np.ndarray:
    """The piece with most of the hole in it, at its full size: original, with the hole shown, and as each filled it."""
    piece = _piece(case.hole)
    shown = np.where(case.hole[..., None], MAGENTA, case.picture)
    made = [np.where(case.hole[..., None], picture, case.picture) for picture in filled.values()]
    return np.concatenate([np.pad(p[piece], ((1, 1), (1, 1), (0, 0))) for p in (case.picture, shown, *made)], axis=1)


def _piece(hole: Hole) -> tuple[slice, slice]:
    side, step = min(PIECE, *hole.shape), 16
    corners = [
        (y, x) for y in range(0, hole.shape[0] - side + 1, step) for x in range(0, hole.shape[1] - side + 1, step)
    ]
    top, left = max(corners, key=lambda at: int(hole[at[0] : at[0] + side, at[1] : at[1] + side].sum()))
    return slice(top, top + side), slice(left, left + side)


def _captions(names: list[str], side: int) -> np.ndarray:
    image = Image.new("RGB", (len(names) * (side + 2), LABEL), "white")
    for column, name in enumerate(names):
        ImageDraw.Draw(image).text((column * (side + 2) + 4, 2), name, fill="black")
    return np.asarray(image)


def _cropped(model: str, inpainter: Inpainter) -> Method:
    """As the service calls a model of that name."""
    limits = INPAINTERS[model].limits
    return lambda picture, hole: paint(picture, hole.astype(np.float32), inpainter.fill, limits)


def _opencv(picture: Picture, hole: Hole, flag: int) -> Picture:
    return np.asarray(cv2.inpaint(picture, hole.astype(np.uint8) * 255, RADIUS, flag), np.uint8)


def _square(picture: Picture, side: int) -> Picture:
    """The middle, reduced."""
    height, width = picture.shape[:2]
    taken = min(height, width)
    top, left = (height - taken) // 2, (width - taken) // 2
    middle = Image.fromarray(picture[top : top + taken, left : left + taken])
    return np.asarray(middle.resize((side, side), Image.Resampling.LANCZOS))
