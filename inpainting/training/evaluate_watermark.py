"""How good a watermark network is on pictures, fonts and logos that training never saw; and its thresholds.

Thresholds are chosen on one half of the held-out pictures, the tables are made on the other half.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import bool_
from numpy.typing import NDArray
from PIL import Image

from inpainting.engine.detector import Detector
from inpainting.engine.interface import Detection, Inpainter
from inpainting.engine.judgement import Thresholds, certainties, enough, merge
from inpainting.engine.unblend import Unblend
from inpainting.removal import divided

from .data import Picture
from .trials import MARKED, Trial, clean, lettered, trials, unmarked

BANDS = ((0.1, 0.25), (0.25, 0.4), (0.4, 0.6), (0.6, 0.9), (1.0, 1.0))  # opacities, a row of the table each
FALSE_ALARMS = 0.01  # the goal: a smaller share of clean pictures
MISTAKEN = 0.05  # share of masks around anything but a mark that may be taken for one around a mark
SHEET = 256  # pixels: a picture on the contact sheet
Row = dict[str, str | float]


def evaluate(detector: Detector, data: Path, out: Path | None) -> list[Row]:
    """The table; writes the sheets `watermark.png` and `drawn.png` into the folder `out`, if there is one.

    A row for each range of opacity, and one each for the marks of it that are tiled and those that are not: F1,
    precision and recall of the mask over all pixels; PSNR of the marked pixels and of whole pictures before and after
    the whole job, in which opaque cores are repainted, as means over the pictures. The same once more with a mask drawn
    by hand, in mode auto, beside what modes restore and repaint make of it, and the share of the masks that were seen
    to lie around a mark. Then what is found where no mark is: in clean pictures, in those with lettering that belongs
    there, and in masks drawn over anything but a mark.
    """
    from inpainting.engine.patchmatch import PatchMatch

    inpainter = PatchMatch(queue=1, wait=60)
    rows = [*_blind(detector, data, inpainter, out), *_drawn(detector, data, inpainter, out)]
    none: dict[str, Iterator[tuple[Picture, NDArray[bool_] | None]]] = {
        "clean": ((picture, None) for picture in clean(data, odd=True)),
        "clean, with lettering": ((picture, None) for picture in lettered(data)),
        "drawn, no mark": unmarked(data, odd=True),
    }
    for name, cases in none.items():
        alarms = [bool(detector.detect(picture, hole).boxes) for picture, hole in cases]
        rows.append({"marks": name, "pictures": len(alarms), "false alarms": round(float(np.mean(alarms)), 4)})
    return rows


def _blind(detector: Detector, data: Path, inpainter: Inpainter, out: Path | None) -> Iterator[Row]:
    strips = []
    for number, band in enumerate(BANDS):
        scores: list[Score] = []
        for trial in trials(data, band, odd=True):
            detection = detector.detect(trial.marked)
            result = finished(trial.marked, detection, None, inpainter)
            scores.append(Score.of(trial, detection, result))
            if (len(scores) - 1) // 2 == number:  # two of each, never the same pictures
                strips.append(strip(trial.marked, detection.mask, result, trial.clean))
        yield _row(_name(band), scores)
        for kind, tiled in (("tiled", True), ("single", False)):
            some = [score for score in scores if score.tiled == tiled]
            if some:
                yield _row(f"{_name(band)}, {kind}", some)
    _sheet(strips, out, "watermark.png")


def _drawn(detector: Detector, data: Path, inpainter: Inpainter, out: Path | None) -> Iterator[Row]:
    strips = []
    for number, band in enumerate(BANDS):
        scores: list[Score] = []
        others: dict[str, list[Score]] = {"restore": [], "repaint": []}
        taken = []
        for trial in trials(data, band, odd=True):
            detection = detector.detect(trial.marked, trial.drawn)
            result = finished(trial.marked, detection, trial.drawn, inpainter)
            trusted = detector.detect(trial.marked, trial.drawn, trusted=True)
            anew = inpainter.predict(trial.marked, trial.drawn.astype(np.float32))
            scores.append(Score.of(trial, detection, result))
            others["restore"].append(Score.of(trial, trusted, trusted.restored))
            others["repaint"].append(Score.of(trial, detection, anew))
            taken.append(bool(detection.boxes))
            if (len(scores) - 1) // 2 == number:
                strips.append(strip(trial.marked, trial.drawn, result, trusted.restored, anew, trial.clean))
        row = _row(f"drawn, {_name(band)}", scores) | {"taken for marks": round(float(np.mean(taken)), 2)}
        for mode, results in others.items():
            other = _row("", results)
            row |= {f"{mode}: marked dB": other["marked dB after"], f"{mode}: whole dB": other["whole dB after"]}
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
    tiled: bool

    @classmethod
    def of(cls, trial: Trial, detection: Detection, result: Picture) -> "Score":
        is_marked, counts = trial.mark.truth(trial.clean)
        before, after = ((picture - trial.clean.astype(float)) ** 2 for picture in (trial.marked, result))
        return cls(
            *(int((detection.mask & is_marked).sum()), int((detection.mask & counts).sum()), int(is_marked.sum())),
            *(float(before[is_marked].mean()), float(after[is_marked].mean())),
            *(float(before.mean()), float(after.mean())),
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
    }


def finished(marked: Picture, detection: Detection, drawn: NDArray[bool_] | None, inpainter: Inpainter) -> Picture:
    """The whole job in mode auto, with a user's mask or without."""
    restored, hole = divided(detection, None if drawn is None else drawn.astype(np.float32), "auto")
    result = merge(marked, detection.restored, restored)
    return inpainter.predict(result, hole) if hole.any() and not hole.all() else result


def calibrate(net: Unblend, data: Path) -> Thresholds:
    """`extent` and `asked` for the best F1 on marked pictures, the others as low as mistakes on clean ones allow."""
    detector = Detector(net, Thresholds(0.5, 0.5, 0.5, 0.5))
    marked, drawn = [], []
    for band in BANDS[:-1]:
        for trial in trials(data, band, odd=False, most=MARKED // 3):
            truth = trial.mark.truth(trial.clean)
            marked.append((detector.look(trial.marked)[0], *truth))
            drawn.append((detector.look(trial.marked, trial.drawn)[0] * trial.drawn, *truth))
    extent = max(np.arange(0.2, 0.85, 0.05), key=lambda one: _f1(marked, float(one)))
    asked = max(np.arange(0.1, 0.85, 0.05), key=lambda one: _f1(drawn, float(one)))
    quiet = sorted((surest(detector.look(seen)[0]) for seen in clean_views(data)), reverse=True)
    allowed = int(np.ceil(FALSE_ALARMS * len(quiet))) - 1  # pictures that may raise an alarm
    shares = sorted(
        (most_certain(detector.look(picture, hole)[0], hole) for picture, hole in unmarked(data, odd=False)),
        reverse=True,
    )
    share = shares[int(MISTAKEN * len(shares))]
    return Thresholds(round(float(extent), 3), max(float(extent), quiet[allowed]), round(float(asked), 3), share)


def clean_views(data: Path) -> Iterator[Picture]:
    """Clean pictures to choose by, each also mirrored and at half its size: few pictures say little about 1%."""
    for picture in clean(data, odd=False):
        yield from (picture, picture[:, ::-1].copy(), np.asarray(Image.fromarray(picture).reduce(2)))


def surest(probability: NDArray[np.float32]) -> float:
    """The lowest `sure` at which nothing is found here."""
    specks = enough(probability.size)
    return float(np.partition(probability, -specks - 1, axis=None)[-specks - 1])


def most_certain(probability: NDArray[np.float32], hole: NDArray[bool_]) -> float:
    """The highest `share` at which a part of a user's mask is taken for one around a mark."""
    return max(share for _, share in certainties(probability, hole))


def _f1(marked: list[tuple[NDArray[np.float32], NDArray[bool_], NDArray[bool_]]], extent: float) -> float:
    right = sum(((one > extent) & is_marked).sum() for one, is_marked, _ in marked)
    said = sum(((one > extent) & counts).sum() for one, _, counts in marked)
    return float(2 * right / max(1, said + sum(is_marked.sum() for _, is_marked, _ in marked)))


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
