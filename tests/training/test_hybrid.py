"""Training the network that makes PatchMatch's copies fit: it learns from its holes, and can be used."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from training.data.crops import crop
from training.hybrid import LAYOUT, HybridTrainer, Maker
from training.trainer import Recipe

FILLED, HOLE, CLEAN = [slice(0, 3), slice(3, 6), slice(6, 9)], 9, slice(10, 13)  # rows of an example


@pytest.fixture(scope="module")
def example(data: Path) -> torch.Tensor:
    return Maker(data, "train").example(np.random.default_rng(1))


@pytest.mark.slow
@pytest.mark.usefixtures("_small_features")
def test_it_learns_one_batch_by_heart(example: torch.Tensor, data: Path) -> None:
    trainer = HybridTrainer(Recipe(rate=3e-3, hours=1, warm_up=5), data)
    trainer.held_out = torch.stack([crop(example, LAYOUT, np.random.default_rng(seed), 64) for seed in range(2)])
    before = trainer.check()

    for _ in range(12):
        trainer.take(trainer.held_out)

    after = trainer.check()
    assert after["copied_dB"] == before["copied_dB"]
    assert after["made_dB"] > max(before["made_dB"], before["copied_dB"]) + 3


def test_an_example_is_a_hole_filled_in_three_ways(example: torch.Tensor) -> None:
    hole = example[HOLE] > 0

    assert example.dtype == torch.uint8
    assert example.shape[0] == 13
    assert hole.any()
    assert not hole.all()
    for filled in (example[rows] for rows in FILLED):
        assert (filled[:, hole] != example[CLEAN][:, hole]).any()
        torch.testing.assert_close(filled[:, ~hole], example[CLEAN][:, ~hole])
    assert all((example[one] != example[other]).any() for one, other in combinations(FILLED, 2))
