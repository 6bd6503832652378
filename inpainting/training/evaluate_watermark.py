"""How good a watermark network is on pictures, fonts and logos that training never saw; and its thresholds.

Thresholds are chosen on one half of the held-out pictures, the tables are made on the other half.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy import bool_
from numpy.typing import NDArray
from PIL import Image

from inpainting.engine.detector import SPECK, Detector, Thresholds
from inpainting.engine.interface import Detection, Inpainter
from inpainting.engine.regions import parts
from inpainting.engine.unblend import Unblend

from .data import Picture, Pictures
from .marks import Mark, Marks, Style
from .signs import lettering

SIDE = 512  # pixels: the longer side of the pictures that are judged
QUALITY = 90  # of the JPEG that marked and clean pictures have been through
BANDS = ((0.1, 0.25), (0.25, 0.4), (0.4, 0.6), (0.6, 0.9), (1.0, 1.0))  # opacities, a row of the table each
RESTORABLE = 0.6  # opacity up to which the goal of restoring holds
MARKED = 15  # pictures for each band, at most
FALSE_ALARMS = 0.01  # the goal: a smaller share of clean pictures
SHEET = 256  # pixels: a picture on the contact sheet
Row = dict[str, str | float]


@dataclass(frozen=True)
class Trial:
    clean: Picture
    marked: Picture  # the picture as it is given to the detector
    mark: Mark


def evaluate(detector: Detector, data: Path, out: Path | None) -> list[Row]:
    """The table, a row for each range of opacity and one for each kind of unmarked picture; writes `watermark.png`
    into the folder `out`, if there is one.

    F1, precision and recall of the mask over all pixels; PSNR of the marked pixels before and after, as the mean over
    the pictures; PSNR of whole pictures before and after the whole job, in which opaque cores are repainted.
    """
    from inpainting.engine.patchmatch import PatchMatch

    inpainter = PatchMatch(queue=1, wait=60)
    rows, sheet = [], []
    for number, band in enumerate(BANDS):
        scores: list[Score] = []
        for trial in trials(data, band, odd=True):
            detection = detector.detect(trial.marked)
            scores.append(Score.of(trial, detection, finished(trial.marked, detection, inpainter)))
            if (len(scores) - 1) // 2 == number:  # two of each, never the same pictures
                sheet.append(strip(trial, detection))
        rows.append(_row(band, scores))
    if out is not None and sheet:
        out.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(sheet)).save(out / "watermark.png")
    for name, pictures in (("clean", clean(data, odd=True)), ("clean, with lettering", lettered(data))):
        alarms = [bool(detector.detect(picture).boxes) for picture in pictures]
        rows.append({"marks": name, "pictures": len(alarms), "false alarms": round(float(np.mean(alarms)), 4)})
    return rows


@dataclass(frozen=True)
class Score:
    right: int  # pixels
    said: int
    marked: int
    before: float  # mean squared error of the marked pixels
    after: float
    whole_before: float
    whole_after: float

    @classmethod
    def of(cls, trial: Trial, detection: Detection, result: Picture) -> "Score":
        is_marked, counts = trial.mark.truth(trial.clean)
        errors = [(picture - trial.clean.astype(float)) ** 2 for picture in (trial.marked, detection.restored, result)]
        return cls(
            *(int((detection.mask & is_marked).sum()), int((detection.mask & counts).sum()), int(is_marked.sum())),
            *(float(errors[0][is_marked].mean()), float(errors[1][is_marked].mean())),
            *(float(errors[0].mean()), float(errors[2].mean())),
        )


def _row(band: tuple[float, float], scores: list[Score]) -> Row:
    right, said, marked = (sum(getattr(score, name) for score in scores) for name in ("right", "said", "marked"))

    def decibels(name: str) -> float:
        return round(float(np.mean([10 * np.log10(255**2 / max(getattr(one, name), 1e-2)) for one in scores])), 2)

    return {
        "marks": "opaque" if band[0] == 1 else f"opacity {band[0]}-{band[1]}",
        "pictures": len(scores),
        "F1": round(2 * right / max(1, said + marked), 3),
        "precision": round(right / max(1, said), 3),
        "recall": round(right / max(1, marked), 3),
        "marked dB before": decibels("before"),
        "marked dB after": decibels("after"),
        "whole dB before": decibels("whole_before"),
        "whole dB after": decibels("whole_after"),
    }


def finished(marked: Picture, detection: Detection, inpainter: Inpainter) -> Picture:
    """The whole job: the restored picture, its opaque cores repainted."""
    if not detection.opaque.any():
        return detection.restored
    hole = cv2.dilate(detection.opaque.astype(np.float32), np.ones((5, 5)))
    return inpainter.predict(detection.restored, np.asarray(hole, np.float32)) if not hole.all() else detection.restored


def pictures(data: Path, odd: bool) -> Iterator[tuple[int, Picture]]:
    """Every second held-out picture, at most SIDE pixels wide and high, with its number."""
    held_out = Pictures(data, "held-out")
    for number in range(int(odd), len(held_out), 2):
        image = Image.fromarray(held_out[number])
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        yield number, np.asarray(image)


def clean(data: Path, odd: bool) -> Iterator[Picture]:
    return (jpeg(picture) for _, picture in pictures(data, odd))


def lettered(data: Path) -> Iterator[Picture]:
    """Pictures with signs, labels and lines of text that belong there, in held-out fonts."""
    marks = Marks(data, "held-out")
    for number, picture in pictures(data, odd=True):
        yield jpeg(lettering(picture, marks, np.random.default_rng([3, number])))


def trials(data: Path, band: tuple[float, float], odd: bool, most: int = MARKED) -> Iterator[Trial]:
    """The same marks on the same pictures each time."""
    marks = Marks(data, "held-out")
    style = Style(opacity=band, opaque=0, height=(0.04, 0.3))
    made = 0
    for number, picture in pictures(data, odd):
        if made == most:
            return
        mark = marks.draw(np.random.default_rng([4, number]), picture.shape[0], picture.shape[1], style)
        if mark.truth(picture)[0].any():
            made += 1
            yield Trial(picture, jpeg(mark.over(picture)), mark)


def jpeg(picture: Picture) -> Picture:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def calibrate(net: Unblend, data: Path) -> Thresholds:
    """`extent` for the best F1 on marked pictures, then `sure` as low as false alarms on clean ones allow."""
    detector = Detector(net, Thresholds(0.5, 0.5))
    marked = []
    for band in BANDS[:-1]:
        for trial in trials(data, band, odd=False, most=MARKED // 3):
            marked.append((detector.look(trial.marked)[0], *trial.mark.truth(trial.clean)))
    extent = max(np.arange(0.2, 0.85, 0.05), key=lambda one: _f1(marked, float(one)))
    quiet = sorted(
        (silence(detector.look(picture)[0], float(extent)) for picture in clean(data, odd=False)), reverse=True
    )
    allowed = int(np.ceil(FALSE_ALARMS * len(quiet))) - 1  # pictures that may raise an alarm
    return Thresholds(round(float(extent), 3), max(float(extent), quiet[allowed]))


def silence(probability: NDArray[np.float32], extent: float) -> float:
    """The lowest `sure` at which nothing is found here."""
    likely = probability > extent
    surest = [0.0]
    for box in parts(likely) if likely.any() else []:
        inside = np.sort(probability[box.slices], axis=None)
        surest.append(float(inside[-SPECK - 1]) if inside.size > SPECK else 0.0)
    return max(surest)


def _f1(marked: list[tuple[NDArray[np.float32], NDArray[bool_], NDArray[bool_]]], extent: float) -> float:
    right = sum(((one > extent) & is_marked).sum() for one, is_marked, _ in marked)
    said = sum(((one > extent) & counts).sum() for one, _, counts in marked)
    return float(2 * right / max(1, said + sum(is_marked.sum() for _, is_marked, _ in marked)))


def strip(trial: Trial, detection: Detection) -> Picture:
    """Marked picture, mask found, restored, clean: side by side, (SHEET, 4 * SHEET, 3)."""
    mask = np.repeat((255 * detection.mask.astype(np.uint8))[..., None], 3, 2)
    parts = []
    for picture in (trial.marked, mask, detection.restored, trial.clean):
        image = Image.fromarray(picture)
        image.thumbnail((SHEET, SHEET))
        parts.append(np.pad(np.asarray(image), ((0, SHEET - image.height), (0, SHEET - image.width), (0, 0))))
    return np.concatenate(parts, 1)
