"""How good a watermark network is on pictures, fonts and logos that training never saw.

Thresholds are chosen on one half of the held-out pictures (calibration.py), the tables are made on the other half.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import bool_
from numpy.typing import NDArray
from PIL import Image

from inpainting import engine, masks
from inpainting.engine.interface import BlendMask, Detection
from inpainting.engine.watermark.detector import Detector
from inpainting.engine.watermark.restoring import merge
from inpainting.removal import divided
from training.data.pack import Picture
from training.watermark.trials import BANDS, SIDE, Trial, clean, jpeg, lettered, pictures, plain, trials, unmarked

SHEET = 256  # pixels: a picture on the contact sheet
Row = dict[str, str | float]


def evaluate(detector: Detector, data: Path, out: Path | None, side: int = SIDE) -> list[Row]:
    """The table of pictures at most `side` pixels wide and high; writes the sheets `watermark.png` and `drawn.png`
    into the folder `out`, if there is one.

    A row for each range of opacity, and one each for the marks of it that are tiled and those that are not: F1,
    precision and recall of the mask over all pixels; PSNR of the marked pixels and of whole pictures before and after
    the whole job, in which the hybrid repaints opaque cores, and at most, which is what JPEG leaves; means over the
    pictures. Beside it what mode restore comes to, which says that there is a mark. The same once more with a mask
    drawn by hand, in mode auto, beside what modes restore and repaint make of it, and the share of the masks that were
    seen to lie around a mark. Then what is found where no mark is: in clean pictures, in those with lettering that
    belongs there, and in masks drawn over anything but a mark.
    """
    rows = [*_blind(detector, data, out, side), *_drawn(detector, data, out, side)]
    none: dict[str, Iterator[tuple[Picture, NDArray[bool_] | None]]] = {
        "clean": ((picture, None) for picture in clean(data, True, side)),
        "clean, with lettering": ((picture, None) for picture in lettered(data, side)),
        "drawn, no mark": unmarked(pictures(data, True, side)),
    }
    for name, cases in none.items():
        alarms, told = [], []
        for picture, hole in cases:
            alarms.append(bool(detector.detect(picture, hole).boxes))
            if hole is None:
                told.append(bool(detector.detect(picture, trust="all").boxes))
        row: Row = {"marks": name, "pictures": len(alarms), "false alarms": round(float(np.mean(alarms)), 4)}
        rows.append(row | ({"restore: false alarms": round(float(np.mean(told)), 4)} if told else {}))
    return rows


def _blind(detector: Detector, data: Path, out: Path | None, side: int) -> Iterator[Row]:
    strips = []
    for number, band in enumerate(BANDS):
        scores: list[Score] = []
        told: list[Score] = []
        for trial in trials(data, plain(band), odd=True, side=side):
            detection = detector.detect(trial.marked)
            result = finished(trial.marked, detection, None)
            scores.append(Score.of(trial, detection, result))
            trusted = detector.detect(trial.marked, trust="all")
            told.append(Score.of(trial, trusted, trusted.restored))
            if (len(scores) - 1) // 2 == number:  # two of each, never the same pictures
                strips.append(strip(trial.marked, detection.mask, result, trial.clean))
        for kind, which in (("", {True, False}), (", tiled", {True}), (", single", {False})):
            some, others = ([score for score in all_of if score.tiled in which] for all_of in (scores, told))
            if some:
                yield (
                    _row(_name(band) + kind, some)
                    | _beside("restore", others)
                    | {"restore: F1": _row("", others)["F1"]}
                )
    _sheet(strips, out, "watermark.png")


def _drawn(detector: Detector, data: Path, out: Path | None, side: int) -> Iterator[Row]:
    strips = []
    for number, band in enumerate(BANDS):
        scores: list[Score] = []
        others: dict[str, list[Score]] = {"restore": [], "repaint": []}
        taken = []
        for trial in trials(data, plain(band), odd=True, side=side):
            detection = detector.detect(trial.marked, trial.drawn)
            result = finished(trial.marked, detection, trial.drawn)
            trusted = detector.detect(trial.marked, trial.drawn, trust="all")
            anew = _repainted(trial.marked, trial.drawn * masks.WHITE)
            scores.append(Score.of(trial, detection, result))
            others["restore"].append(Score.of(trial, trusted, trusted.restored))
            others["repaint"].append(Score.of(trial, detection, anew))
            taken.append(bool(detection.boxes))
            if (len(scores) - 1) // 2 == number:
                strips.append(strip(trial.marked, trial.drawn, result, trusted.restored, anew, trial.clean))
        row = _row(f"drawn, {_name(band)}", scores) | {"taken for marks": round(float(np.mean(taken)), 2)}
        for mode, results in others.items():
            row |= _beside(mode, results)
        yield row
    _sheet(strips, out, "drawn.png")


@dataclass(frozen=True)
class Score:
    right: int  # pixels
    said: int
    marked: int
    before: float  # mean squared error of the marked pixels
    after: float
    whole_before: float
    whole_after: float
    whole_at_most: float  # of the marked picture, had each marked pixel come back as JPEG leaves it without the mark
    tiled: bool

    @classmethod
    def of(cls, trial: Trial, detection: Detection, result: Picture) -> "Score":
        is_marked, counts = trial.mark.truth(trial.clean)
        best = merge(trial.marked, jpeg(trial.clean), is_marked)
        before, after, least = ((one - trial.clean.astype(float)) ** 2 for one in (trial.marked, result, best))
        return cls(
            *(int((detection.mask & is_marked).sum()), int((detection.mask & counts).sum()), int(is_marked.sum())),
            *(float(before[is_marked].mean()), float(after[is_marked].mean())),
            *(float(before.mean()), float(after.mean()), float(least.mean())),
            trial.mark.tiled,
        )


def _name(band: tuple[float, float]) -> str:
    return "opaque" if band[0] == 1 else f"opacity {band[0]}-{band[1]}"


def _row(name: str, scores: list[Score]) -> Row:
    right, said, marked = (sum(getattr(score, name) for score in scores) for name in ("right", "said", "marked"))

    def decibels(name: str) -> float:
        return round(float(np.mean([10 * np.log10(255**2 / max(getattr(one, name), 1e-2)) for one in scores])), 2)

    return {
        "marks": name,
        "pictures": len(scores),
        "F1": round(2 * right / max(1, said + marked), 3),
        "precision": round(right / max(1, said), 3),
        "recall": round(right / max(1, marked), 3),
        "marked dB before": decibels("before"),
        "marked dB after": decibels("after"),
        "whole dB before": decibels("whole_before"),
        "whole dB after": decibels("whole_after"),
        "whole dB at most": decibels("whole_at_most"),
    }


def _beside(mode: str, scores: list[Score]) -> Row:
    """What another mode comes to, for the same row."""
    row = _row("", scores)
    return {f"{mode}: marked dB": row["marked dB after"], f"{mode}: whole dB": row["whole dB after"]}


def finished(marked: Picture, detection: Detection, drawn: NDArray[bool_] | None) -> Picture:
    """The whole job in mode auto, with a user's mask or without."""
    restored, hole = divided(detection, None if drawn is None else drawn * masks.WHITE, "auto")
    result = merge(marked, detection.restored, restored)
    return _repainted(result, hole) if hole.any() and not hole.all() else result


def _repainted(picture: Picture, weights: BlendMask) -> Picture:
    return engine.inpaint(picture, weights, "hybrid").picture


def strip(*pictures: Picture | NDArray[bool_]) -> Picture:
    """Pictures and masks side by side, (SHEET, n * SHEET, 3)."""
    shown = []
    for picture in pictures:
        image = Image.fromarray(picture).convert("RGB")
        image.thumbnail((SHEET, SHEET))
        shown.append(np.pad(np.asarray(image), ((0, SHEET - image.height), (0, SHEET - image.width), (0, 0))))
    return np.concatenate(shown, 1)


def _sheet(strips: list[Picture], out: Path | None, name: str) -> None:
    if out is not None and strips:
        out.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(strips)).save(out / name)
