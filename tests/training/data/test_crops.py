"""Crops of examples that take long to make."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch

from training.data.crops import Crops, Rows, crop

WHERE = slice(40, 60), slice(50, 90)  # what is to be learned of the example below
ROWS = Rows(3, [range(3)])


@dataclass
class Counting:
    """Makes examples of a colour, a hole, and a plane that says which example it is."""

    made: int = 0

    def example(self, rng: np.random.Generator) -> torch.Tensor:
        self.made += 1
        return example(self.made)


def example(number: int = 0) -> torch.Tensor:
    planes = torch.zeros(5, 100, 120, dtype=torch.uint8)
    planes[:3] = torch.tensor([10, 20, 30])[:, None, None]
    planes[3][WHERE] = 255
    planes[4] = number
    return planes


def test_it_works() -> None:
    batches: Iterator[torch.Tensor] = iter(Crops(Counting, ROWS, 64, 2, seed=0))

    first, *_, last = (next(batches) for _ in range(9))

    assert first.shape == last.shape == (2, 5, 64, 64)
    assert (first[:, 4] == 1).all()  # there is but one example yet
    assert (last[:, 4] > 1).any()


def test_a_crop_shows_something_to_learn_with_all_rows_turned_alike() -> None:
    whole = example()
    whole[4] = whole[3]

    for seed in range(20):
        taken = crop(whole, ROWS, np.random.default_rng(seed), 64)

        assert taken[3].any()
        torch.testing.assert_close(taken[3], taken[4])


def test_colours_are_exchanged_and_nothing_else() -> None:
    seen = {
        tuple(crop(example(7), ROWS, np.random.default_rng(seed), 32)[[0, 1, 2, 4], 0, 0].tolist())
        for seed in range(40)
    }

    assert len(seen) == 6
    assert all(sorted(one) == [7, 10, 20, 30] for one in seen)


def test_a_small_example_is_mirrored() -> None:
    taken = crop(example(), ROWS, np.random.default_rng(0), 160)

    assert taken.shape == (5, 160, 160)
    assert (taken[:3].sort(0).values == torch.tensor([10, 20, 30])[:, None, None]).all()


@pytest.mark.slow
def test_those_who_make_them_start_where_they_are_needed() -> None:
    """In a process of its own, to which the function that makes a maker is sent."""
    batches = torch.utils.data.DataLoader(
        Crops(partial(Counting, 40), ROWS, 32, 1, seed=0), None, num_workers=1, multiprocessing_context="spawn"
    )

    assert next(iter(batches))[0, 4, 0, 0] == 41
