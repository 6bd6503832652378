"""How good a watermark network is on real pictures, after a table of where their marks are.

The pictures are other people's: they are measured with, never trained on. The table has tabs and the columns file,
kind, boxes and also: `x,y,w,h;...` around the marks, in pixels, none for a clean picture; and around what may be
touched besides.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import bool_
from numpy.typing import NDArray
from PIL import Image

from inpainting.engine.interface import Detection, Trust
from inpainting.engine.watermark.detector import Detector
from training import TrainingError
from training.data.pack import Picture
from training.evaluate.watermark import finished

# Of `detect`, and of remove-watermark without a mask; how far the user is believed who says that there is a mark.
MODES: dict[str, Trust] = {"auto": "nobody", "removal": "one", "restore": "all"}
COVERED = 0.3  # share of the marks' boxes that what is found has to cover
AIMED = 0.5  # share of it that has to lie around them
STRAY = 0.001  # share of a marked picture that may be touched elsewhere
FEW, SPECK = 200, 40  # pixels that are no alarm: on a marked picture in all, on a clean one in a box
AROUND = 8, 0.05  # pixels, and share of a box's shorter side, by which it is wider than drawn
GAP = 8  # pixels between before and after
Row = dict[str, str | float]


@dataclass(frozen=True)
class RealPicture:
    file: Path
    kind: str
    boxes: str
    also: str


def evaluate(detector: Detector, manifest: Path, folder: Path, out: Path | None) -> list[Row]:
    """A row for each kind of picture, and one for all: in how many the mark was found, and in how many something else.

    `out`: a folder for each marked picture before and after the whole job without a mask. TrainingError: the folder
    has none of the pictures.
    """
    found: dict[str, list[Row]] = {}
    for real in manifested(manifest, folder):
        picture = np.asarray(Image.open(real.file).convert("RGB"))
        verdicts: Row = {}
        for mode, trust in MODES.items():
            detection = detector.detect(picture, trust=trust)
            hit, alarm = judged(real, detection)
            verdicts |= {f"{mode}: found": hit, f"{mode}: alarms": alarm}
            if out is not None and trust == "one" and real.boxes:
                _sheet(picture, finished(picture, detection, None), out / f"{real.file.stem}.png")
        found.setdefault(real.kind, []).append(verdicts)
    if not found:
        raise TrainingError(f"{folder} has none of the pictures of {manifest}.")
    everything = [verdicts for some in found.values() for verdicts in some]
    return [_row(kind, some) for kind, some in [*found.items(), ("all", everything)]]


def manifested(manifest: Path, folder: Path) -> Iterator[RealPicture]:
    """The pictures of the table that are there."""
    with manifest.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if (folder / row["file"]).exists():
                yield RealPicture(folder / row["file"], row["kind"], row["boxes"], row["also"])


def judged(real: RealPicture, detection: Detection) -> tuple[bool, bool]:
    """Whether the mark was found, and whether anything else was."""
    mask, around = detection.mask, np.zeros(detection.mask.shape, bool_)
    for x, y, width, height, _ in detection.boxes:
        around[y : y + height, x : x + width] = True
    if not real.boxes:
        sizes = (mask[y : y + height, x : x + width].sum() for x, y, width, height, _ in detection.boxes)
        return False, any(size >= SPECK for size in sizes)
    marks, near = area(real.boxes, mask.shape), area(real.boxes, mask.shape, wider=True) | area(real.also, mask.shape)
    covered = (around & marks).sum() >= COVERED * marks.sum()
    aimed = mask.any() and (mask & near).sum() >= AIMED * mask.sum()
    return bool(covered and aimed), int((mask & ~near).sum()) > max(FEW, STRAY * mask.size)


def area(boxes: str, shape: tuple[int, ...], *, wider: bool = False) -> NDArray[bool_]:
    """The boxes `x,y,w,h;...` as a mask of that shape, somewhat wider if asked for."""
    made = np.zeros(shape, bool_)
    for box in filter(None, boxes.split(";")):
        x, y, width, height = map(int, box.split(","))
        more = int(AROUND[0] + AROUND[1] * min(width, height)) if wider else 0
        made[max(0, y - more) : y + height + more, max(0, x - more) : x + width + more] = True
    return made


def _row(kind: str, verdicts: list[Row]) -> Row:
    sums: Row = {name: sum(bool(one[name]) for one in verdicts) for name in verdicts[0]}
    return Row(kind=kind, pictures=len(verdicts)) | sums


def _sheet(before: Picture, after: Picture, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    gap = np.full((before.shape[0], GAP, 3), 255, np.uint8)
    Image.fromarray(np.concatenate([before, gap, after], 1)).save(path)
