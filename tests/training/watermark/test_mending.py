"""Training the network that mends: it learns from what the detector makes, stops, goes on, and can be used."""

from pathlib import Path

import numpy as np
import pytest
import torch

from training.data.crops import crop
from training.data.examples import piece
from training.trainer import Recipe
from training.watermark.mending import LAYOUT, Maker, MendingTrainer

CLEAN, MARKED, NEAR = slice(18, 21), slice(0, 3), 17  # rows of an example


@pytest.fixture(scope="module")
def example(data: Path) -> torch.Tensor:
    return Maker(data, "train").example(np.random.default_rng(0))


def batch(example: torch.Tensor) -> torch.Tensor:
    return torch.stack([crop(example, LAYOUT, np.random.default_rng(seed), 64) for seed in range(4)])


@pytest.mark.slow
def test_it_learns_one_batch_by_heart(example: torch.Tensor, data: Path) -> None:
    trainer = MendingTrainer(Recipe(rate=3e-3, hours=1, warm_up=5), data)
    trainer.held_out = batch(example)
    before = trainer.check()

    for _ in range(15):
        trainer.take(trainer.held_out)

    after = trainer.check()
    assert after["before"] == before["before"]
    assert after["after"] < 0.7 * after["before"]


def test_an_example_is_what_the_detector_made_of_a_marked_picture(example: torch.Tensor) -> None:
    computed = slice(3, 6)
    near, changed = example[NEAR] > 0, (example[MARKED] != example[computed]).any(0)

    assert example.dtype == torch.uint8
    assert example.shape[0] == 22
    assert near.any()
    assert not (changed & ~near).any()
    assert (example[MARKED] != example[CLEAN]).any()


def test_parts_have_any_scale_and_a_largest_size() -> None:
    large = np.zeros((900, 700, 3), np.uint8)

    sizes = {piece(large, np.random.default_rng(seed), 300, 400).shape for seed in range(10)}

    assert len(sizes) > 3
    assert max(max(size) for size in sizes) <= 400
    assert piece(large[:50, :40], np.random.default_rng(0), 300, 400).shape == (50, 40, 3)
