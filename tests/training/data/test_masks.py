import numpy as np
import pytest

from training.data import masks


@pytest.mark.parametrize("kind", masks.SHARES)
@pytest.mark.parametrize("shape", [(64, 64), (96, 160)])
def test_it_works(kind: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        hole = masks.draw(kind, rng, *shape)
        assert (hole.shape, hole.dtype) == (shape, np.dtype(bool))
        assert masks.SMALLEST <= hole.mean() <= masks.LARGEST


def test_the_same_seed_draws_the_same() -> None:
    first, second = (masks.sample(np.random.default_rng(7), 64, 64) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_every_kind_has_a_share_and_they_are_all() -> None:
    assert masks.SHARES.keys() == masks.DRAWN.keys()
    assert sum(masks.SHARES.values()) == pytest.approx(1)


def test_thin_strokes_are_thinner_than_thick_ones() -> None:
    rng = np.random.default_rng(0)

    def thickness(kind: str) -> float:
        """Area over circumference: about half the width of a stroke."""
        holes = [masks.draw(kind, rng, 256, 256) for _ in range(10)]
        edges = sum(int((hole ^ np.roll(hole, 1, axis)).sum()) for hole in holes for axis in (0, 1))
        return sum(int(hole.sum()) for hole in holes) / edges

    assert thickness("thick") > 3 * thickness("thin")


def test_without_fonts_pillows_own_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_fonts", list)
    assert masks.draw("text", np.random.default_rng(0), 96, 96).any()


def test_says_when_nothing_fits() -> None:
    with pytest.raises(ValueError, match="No box fits into 1x1 pixels"):
        masks.draw("box", np.random.default_rng(0), 1, 1)
