"""Judging a detector by pictures of which a table says where their marks are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpainting.engine.interface import Detection, Found, Hole, Picture, Trust
from inpainting.engine.watermark.detector import Detector
from tests.training.small_set import landscape
from training import TrainingError
from training.evaluate.real import evaluate

BOX = "40,60,50,20"
HEADER = "file\tkind\tboxes\talso\n"


class Sees(Detector):
    """Sees a mark in these boxes, whatever the picture; where it is trusted, in the others too."""

    def __init__(self, *boxes: tuple[int, int, int, int], trusted: tuple[int, int, int, int] | None = None) -> None:
        self.boxes, self.more = boxes, trusted

    def detect(
        self, picture: Picture, hole: Hole | None = None, *, trust: Trust = "nobody", mend: bool = True
    ) -> Detection:
        mask = np.zeros(picture.shape[:2], bool)
        boxes = [*self.boxes, self.more] if trust != "nobody" and self.more else list(self.boxes)
        for x, y, width, height in boxes:
            mask[y : y + height, x : x + width] = True
        plane = mask.astype(np.float32)
        darker = np.where(mask[..., None], picture // 2, picture).astype(np.uint8)
        return Detection(plane, plane / np.float32(2), mask, darker, mask, [Found(*box, 0.9) for box in boxes])


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """One marked picture, one clean, and one that is not there."""
    for name in ("m.png", "c.png"):
        Image.fromarray(landscape(1, 120, 160)).save(tmp_path / name)
    path = tmp_path / "manifest.tsv"
    path.write_text(f"{HEADER}m.png\tsingle\t{BOX}\t0,0,30,30\nc.png\tclean\t\t\nx.png\tclean\t\t\n")
    return path


def test_a_mark_is_found_where_it_is(manifest: Path, tmp_path: Path) -> None:
    single, clean, everything = evaluate(Sees((38, 62, 40, 18)), manifest, tmp_path, tmp_path / "out")

    assert single == {
        "kind": "single",
        "pictures": 1,
        **{f"{mode}: found": 1 for mode in ("auto", "removal", "restore")},
        **{f"{mode}: alarms": 0 for mode in ("auto", "removal", "restore")},
    }
    assert (clean["pictures"], clean["auto: found"], clean["auto: alarms"]) == (1, 0, 1)
    assert (everything["pictures"], everything["auto: found"], everything["auto: alarms"]) == (2, 1, 1)
    sheet = np.asarray(Image.open(tmp_path / "out" / "m.png"))
    assert sheet.shape == (120, 160 + 8 + 160, 3)
    before, after = sheet[:, :160], sheet[:, 168:]
    assert (before[62:80, 40:76] != after[62:80, 40:76]).any(2).mean() > 0.8
    np.testing.assert_array_equal(before[:40], after[:40])
    assert not (tmp_path / "out" / "c.png").exists()


@pytest.mark.parametrize(
    ("boxes", "found", "alarm"),
    [
        ([], 0, 0),
        ([(40, 60, 8, 20)], 0, 0),  # a small part of it
        ([(40, 60, 50, 20), (0, 0, 30, 30)], 1, 0),  # and what may be touched too
        ([(40, 60, 50, 20), (120, 90, 30, 30)], 1, 1),  # and something else, less than the mark
        ([(40, 60, 50, 20), (100, 0, 60, 50)], 0, 1),  # more than the mark
    ],
)
def test_what_counts(
    boxes: list[tuple[int, int, int, int]], found: int, alarm: int, manifest: Path, tmp_path: Path
) -> None:
    row = evaluate(Sees(*boxes), manifest, tmp_path, None)[0]

    assert (row["auto: found"], row["auto: alarms"]) == (found, alarm)


def test_who_says_that_there_is_a_mark_has_more_found(manifest: Path, tmp_path: Path) -> None:
    row = evaluate(Sees(trusted=(40, 60, 50, 20)), manifest, tmp_path, None)[0]

    assert (row["auto: found"], row["removal: found"], row["restore: found"]) == (0, 1, 1)


def test_specks_on_clean_pictures_are_no_alarm(manifest: Path, tmp_path: Path) -> None:
    rows = [evaluate(Sees((5, 5, 6, size)), manifest, tmp_path, None)[1] for size in (6, 7)]

    assert [row["auto: alarms"] for row in rows] == [0, 1]


def test_pictures_that_are_not_there_are_told(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="none of the pictures"):
        evaluate(Sees(), manifest, tmp_path / "elsewhere", None)
