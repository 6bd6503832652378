"""What is made of what the network saw."""

import numpy as np
import pytest

from inpainting.engine.watermark.judgement import agreement, around_copies, is_tiled_mark


def test_a_mask_around_copies_is_told_from_one_over_an_object() -> None:
    copies = np.zeros((200, 200), bool)
    copies[::20, ::4] = True
    around, over = np.zeros_like(copies), np.zeros_like(copies)
    around[38:43, 20:180] = True  # along a row of them
    over[60:140, 60:140] = True  # as many in it as everywhere

    np.testing.assert_array_equal(around_copies(copies, around), around)
    assert not around_copies(copies, over).any()
    np.testing.assert_array_equal(around_copies(copies, np.ones_like(copies)), np.ones_like(copies))
    assert not around_copies(copies, np.zeros_like(copies)).any()


def test_agreement_is_a_correlation() -> None:
    opacity = np.array([[0, 0.5], [0.5, 0]], np.float32)

    assert agreement(opacity, opacity * 0.3 + 0.1) == pytest.approx(1)
    assert agreement(opacity, 1 - opacity) == pytest.approx(-1)
    assert agreement(opacity, np.ones_like(opacity)) == 0
    assert agreement(opacity[:0], opacity[:0]) == 0


def test_a_tiled_mark_that_shines_through_is_seen_no_more_with_it_computed_away() -> None:
    opacity = np.float32(np.arange(400).reshape(20, 20) % 5 == 0) / 2
    seen, nothing = 2 * opacity, np.zeros_like(opacity)

    assert is_tiled_mark(opacity, 0.5, seen, nothing)
    assert not is_tiled_mark(opacity, 0.5, seen, seen)


def test_an_opaque_tiled_mark_is_all_that_is_seen() -> None:
    opacity = np.float32(np.arange(400).reshape(20, 20) % 5 == 0)
    quarter = np.where(np.arange(20) < 5, opacity, 0)

    assert is_tiled_mark(opacity, 1.0, seen=opacity, left=opacity)
    assert not is_tiled_mark(opacity, 1.0, seen=quarter, left=np.zeros_like(quarter))
