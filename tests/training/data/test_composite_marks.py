"""Marks as publishers and cameras make them, and what happens to a marked picture afterwards."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training.small_set import landscape, small_set
from training.data.examples import FULL, make
from training.data.handling import compress, handle
from training.data.marks import wording
from training.data.marks.clocks import coarse, segments
from training.data.marks.composite import KINDS, composite
from training.data.marks.draw import Marks
from training.data.marks.finishes import emboss
from training.data.marks.letters import Letters, line
from training.data.marks.mark import Mark, Style
from training.data.marks.placing import Spot, place
from training.data.marks.strips import strip
from training.data.signs.pages import cover, page, receipt
from training.data.signs.scene import add_lettering
from training.data.signs.screens import chart, interface

OPAQUE = Style(opacity=(0.3, 0.4), opaque=0, tiled=0.3, composite=1.0)


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    return Letters(small_set(tmp_path_factory.mktemp("set")), "train")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tall", [7, 30])
def test_a_stamp_of_any_kind_is_visible_and_in_range(
    kind: Callable[..., np.ndarray], tall: int, letters: Letters
) -> None:
    for seed in range(6):
        stamp = kind(letters, np.random.default_rng(seed), tall, 0.5)

        assert stamp.ndim == 3
        assert stamp.shape[2] == 4
        assert stamp.min() >= 0
        assert stamp[..., 3].max() <= 1 + 1e-5
        assert (stamp[..., :3] <= stamp[..., 3:] + 1e-5).all()
        assert stamp[..., 3].max() > 0.05


@pytest.mark.parametrize("seed", range(12))
def test_a_composite_mark_fits_its_picture(seed: int, letters: Letters) -> None:
    mark = composite(letters, np.random.default_rng(seed), (96, 128), OPAQUE)

    assert mark.opacity.shape == (96, 128)
    assert mark.colour.shape == (96, 128, 3)
    assert 0 <= mark.opacity.min() <= mark.opacity.max() <= 1 + 1e-5


def test_layers_of_one_mark_have_opacities_of_their_own(letters: Letters) -> None:
    lockup = next(kind for kind in KINDS if kind.__name__ == "lockup")

    stamps = [lockup(letters, np.random.default_rng(seed), 24, 0.3)[..., 3] for seed in range(40)]

    both = [
        stamp for stamp in stamps if (stamp > 0.95).mean() > 0.01 and ((stamp > 0.2) & (stamp < 0.35)).mean() > 0.01
    ]
    assert both
    assert len(both) < len(stamps)


def test_embossed_letters_are_light_on_one_side_and_dark_on_the_other(letters: Letters) -> None:
    word = np.pad(line(letters.face(np.random.default_rng(0)), "SAMPLE", 40), 8)

    stamp = emboss(word, np.random.default_rng(0), 0.8)

    grey = stamp[..., :3].mean(2)
    assert ((stamp[..., 3] > 0.2) & (grey > 0.8 * stamp[..., 3])).any()
    assert ((stamp[..., 3] > 0.2) & (grey < 0.2 * stamp[..., 3])).any()


def test_all_lines_of_a_font_are_of_one_size(letters: Letters) -> None:
    face = letters.face(np.random.default_rng(0))

    low, high = line(face, "aaa", 30), line(face, "Hgy", 30)

    assert low.shape[0] == high.shape[0] == 30
    assert low.any(1).sum() < 0.8 * high.any(1).sum()


@pytest.mark.parametrize("spot", ["corner", "edge", "side", "centre", "anywhere"])
def test_a_stamp_lies_where_it_is_to_lie(spot: Spot) -> None:
    stamp = np.ones((10, 40, 4), np.float32)

    made = [place(stamp, np.random.default_rng(seed), (100, 150), spot)[..., 3] for seed in range(60)]

    spread = np.sum(made, 0)

    middle = spread[30:70, 45:105].sum() / spread.sum()
    assert spread.shape == (100, 150)
    if spot == "centre":
        assert middle > 0.5
    elif spot != "anywhere":
        assert middle < 0.02


def test_marks_in_corners_touch_the_border_now_and_then() -> None:
    stamp = np.ones((10, 40, 4), np.float32)

    made = [place(stamp, np.random.default_rng(seed), (100, 150), "corner")[..., 3] for seed in range(60)]

    touching = [one[0].any() or one[-1].any() or one[:, 0].any() or one[:, -1].any() for one in made]
    assert 0.05 < np.mean(touching) < 0.6


def test_digits_of_seven_segments_differ() -> None:
    shown = [segments(np.random.default_rng(0), digit, 30) for digit in "0123456789"]

    for first in range(10):
        for second in range(first):
            assert np.abs(shown[first] - shown[second]).max() > 0.5
    assert shown[1].sum() < shown[8].sum() / 2


def test_coarse_letters_have_no_soft_edges(letters: Letters) -> None:
    plane = coarse(letters, np.random.default_rng(0), "12:30", 30)

    assert set(np.unique(plane)) == {0, 1}


def test_the_words_on_a_bar_are_the_mark_and_the_bar_is_the_picture(letters: Letters) -> None:
    bar, words = strip(letters, np.random.default_rng(1), (96, 128))

    rows = bar.opacity.all(1)
    assert 8 < rows.sum() < 16
    assert words.opacity[rows].max() > 0.5
    assert not words.opacity[~rows].any()
    assert np.abs(words.colour[words.opacity > 0.5] - bar.colour[rows][0, 0]).min() > 0.9


@pytest.mark.parametrize("sheet", [page, receipt, cover, interface, chart])
def test_sheets_have_the_size_asked_for(sheet: Callable[..., np.ndarray], letters: Letters) -> None:
    for seed, (tall, wide) in enumerate([(64, 64), (200, 90), (40, 250)]):
        made = sheet(letters, np.random.default_rng(seed), tall, wide)

        assert made.shape == (tall, wide, 3)
        assert np.ptp(made) > 0.2


@pytest.mark.parametrize("seed", range(16))
def test_lettering_of_its_own_leaves_a_picture_a_picture(seed: int, letters: Letters) -> None:
    picture = landscape(1)

    made = add_lettering(picture, letters, np.random.default_rng(seed))

    assert made.shape == picture.shape
    assert made.dtype == np.uint8
    assert (made != picture).any()


def test_what_happens_to_a_marked_picture_happens_to_the_truth(letters: Letters) -> None:
    """Undone exactly by the mark's opacity and colour, but for rounding, compression and sharpened edges."""
    picture, errors = landscape(1), []
    for seed in range(30):
        mark = composite(letters, np.random.default_rng(seed), picture.shape[:2], OPAQUE)

        now = handle(picture, mark, np.random.default_rng(seed))

        assert now.marked.shape == now.clean.shape == picture.shape
        errors.append(np.abs(now.mark.over(now.clean).astype(int) - now.marked).mean())
    assert np.median(errors) < 6
    assert max(errors) < 20


def test_a_copy_on_a_screen_has_its_mark_where_the_picture_is() -> None:
    picture = np.full((96, 128, 3), 90, np.uint8)
    everywhere = Mark(np.full((96, 128), 0.5, np.float32), np.ones((96, 128, 3), np.float32))

    copies = [handle(picture, everywhere, np.random.default_rng(seed)) for seed in range(120)]

    on_screens = [copy for copy in copies if (copy.mark.opacity < 0.01).mean() > 0.1]
    assert 0 < len(on_screens) < 20
    for copy in on_screens:
        unmarked = copy.mark.opacity < 0.01
        assert np.abs(copy.marked[unmarked].astype(int) - copy.clean[unmarked]).mean() < 4
        assert 0.3 < (copy.mark.opacity > 0.45).mean() < 0.9


def test_compression_changes_little() -> None:
    picture = landscape(3)

    again = compress(picture, np.random.default_rng(0))

    assert 0 < np.abs(again.astype(int) - picture).mean() < 12


def test_half_of_the_pictures_without_a_mark_have_lettering(tmp_path: Path) -> None:
    marks, picture = Marks(small_set(tmp_path), "train"), landscape(1)

    examples = [make(picture, marks, np.random.default_rng(seed), FULL) for seed in range(80)]

    unmarked = [one for one in examples if not one.mark.opacity.any()]
    plain = [one for one in unmarked if np.abs(one.clean.astype(int) - picture).mean() < 8]
    assert 0.12 < len(unmarked) / len(examples) < 0.45
    assert 0.3 < len(plain) / len(unmarked) < 0.75


def test_what_is_written_is_made_up_and_varied() -> None:
    rng = np.random.default_rng(0)

    for write in (wording.brand, wording.small_line, wording.moment, wording.camera, wording.owner):
        texts = {write(rng) for _ in range(60)}
        assert len(texts) > 20
        assert all((text.strip() and text.isascii()) or "\N{COPYRIGHT SIGN}" in text for text in texts)
