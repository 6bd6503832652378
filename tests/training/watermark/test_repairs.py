"""Learning which repair leaves the least trace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inpainting import repair
from inpainting.engine import Detection
from inpainting.repair import Measures
from tests.pictures import photo
from training.data.examples import Example
from training.data.marks.mark import Mark
from training.features import Features
from training.watermark import repairs

PICTURE = photo(96, 72)


def test_it_learns_what_speaks_for_repainting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ghosts make restoring worse in these rows, grain makes repainting worse, and opacity says nothing."""
    rng = np.random.default_rng(0)

    def compared(*_: Any) -> Iterator[tuple[Measures, float]]:
        for _row in range(200):
            ghost, grain = rng.normal(size=2)
            others = (float(one) for one in rng.random(3))
            yield Measures(1.0, next(others), ghost, next(others), grain, next(others)), float(ghost - 2 * grain)

    monkeypatch.setattr(repairs, "compared", compared)
    lines: list[str] = []
    learned = repairs.learn(tmp_path, 200, lines.append)

    assert learned.ghost == pytest.approx(1, abs=0.1)
    assert learned.grain == pytest.approx(-2, abs=0.1)
    assert abs(learned.opacity) < 0.1
    assert learned.constant == pytest.approx(repairs.GHOSTS, abs=0.1)
    assert "ghost=" in lines[-1]


def test_too_few_marks_are_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(repairs, "compared", lambda *_: iter([]))

    with pytest.raises(ValueError, match="too few"):
        repairs.learn(tmp_path, 5, print)


def test_a_perfect_restoration_beats_repainting(features: Features) -> None:
    mask = np.zeros(PICTURE.shape[:2], bool)
    mask[30:40, 30:60] = True
    likely = mask.astype(np.float32)
    marked = np.where(mask[..., None], np.uint8(255), PICTURE)

    def gain(restored: np.ndarray) -> float:
        found = Detection(likely, likely, mask, restored, mask, [])
        (mark,) = repair.marks(found)
        return repairs.gain(marked, PICTURE, found, mark, features)

    assert gain(PICTURE) < 0 < gain(marked)


@pytest.mark.parametrize("seed", range(6))
def test_what_comes_back_from_the_web_keeps_its_parts_together(seed: int) -> None:
    opacity = np.zeros(PICTURE.shape[:2], np.float32)
    opacity[30:40, 30:60] = 0.5
    mark = Mark(opacity, np.ones(PICTURE.shape, np.float32))
    marked, clean, truth = repairs.degraded(Example(mark.over(PICTURE), PICTURE, mark), np.random.default_rng(seed))

    assert marked.shape == clean.shape == (*truth.shape, 3)
    assert marked.dtype == np.uint8
    change = np.abs(marked.astype(float) - clean).max(2)
    assert change[truth].mean() > 3 * change[~truth].mean()


def test_a_mark_of_which_too_little_is_found_does_not_count() -> None:
    truth = np.zeros(PICTURE.shape[:2], bool)
    truth[10:60, 10:80] = True
    found = truth & (np.arange(96) < 20)
    detection = Detection(found.astype(np.float32), found.astype(np.float32), found, PICTURE, found, [])

    assert not repairs.isolated(detection, truth).mask.any()
