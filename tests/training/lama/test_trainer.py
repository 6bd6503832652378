"""LaMa's step, and the weights that come of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from inpainting.engine.inpainters.lama.checkpoint import load
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig, masked_input
from inpainting.engine.inpainters.smooth.push_pull import push_pull
from tests.training.conftest import CPU, Ramps
from training import checkpoint
from training.data.batches import Batches, to_tensors
from training.evaluate import metrics
from training.lama.trainer import FINE_TUNING, FROM_NOTHING, LamaTrainer, Stage
from training.trainer import Recipe

pytestmark = pytest.mark.usefixtures("_small_features")

AT_ONCE = replace(FROM_NOTHING, adversarial_from=0.0)  # the discriminator is there from the start


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    return next(Batches(Ramps(), side=64, count=2, threads=1).start(0, CPU))


def trainer(stage: Stage = FROM_NOTHING, rate: float = 1e-3, ngf: int = 8) -> LamaTrainer:
    torch.manual_seed(0)
    recipe = Recipe(side=64, batch=2, rate=rate, steps=100, warm_up=5)
    return LamaTrainer(Lama(LamaConfig(ngf, n_blocks=1)), recipe, stage, (Ramps(), Ramps()), "nothing")


@pytest.mark.slow
def test_it_overfits_one_batch() -> None:
    """The first gate: what cannot learn two pictures by heart, far better than a smooth fill, learns nothing."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 4, 4, 3), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    holes = np.zeros((2, 32, 32), bool)
    holes[:, 10:22, 6:26] = True
    image, hole = to_tensors(pictures, holes, CPU)
    smooth = np.stack([push_pull(*pair) for pair in zip(pictures, holes, strict=True)])
    learner = trainer(replace(FROM_NOTHING, adversarial_from=2.0), rate=5e-3, ngf=16)
    for _ in range(48):
        learner.take((image, hole))
    with torch.no_grad():
        made = learner.net(masked_input(image, hole))
    assert metrics.l1(made, image, hole) < 0.5 * metrics.l1(to_tensors(smooth, holes, CPU)[0], image, hole)


def test_the_discriminator_joins_when_the_stage_says(batch: tuple[Tensor, Tensor]) -> None:
    learner = trainer(replace(FROM_NOTHING, adversarial_from=0.5))
    learner.step = 49
    assert "discriminator" not in learner.take(batch)
    before = [value.clone() for value in learner.discriminator.parameters()]
    found = learner.take(batch)
    assert {"adversarial", "matching", "discriminator"} <= found.keys()
    assert any((a != b).any() for a, b in zip(before, learner.discriminator.parameters(), strict=True))
    assert all(value.isfinite() for value in found.values())


def test_fine_tuning_leaves_batchnorms_statistics_alone(batch: tuple[Tensor, Tensor]) -> None:
    learner = trainer(FINE_TUNING)
    before = {k: v.clone() for k, v in learner.net.state_dict().items()}
    learner.take(batch)
    after = learner.net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if "running" in name)
    assert any(not torch.equal(before[name], after[name]) for name in before if name.endswith("weight"))


def test_it_goes_on_to_the_last_bit_discriminator_and_all(batch: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    first, second = trainer(AT_ONCE), trainer(AT_ONCE)
    for _ in range(2):
        first.take(batch)
    checkpoint.save(first.state(), tmp_path / "x.checkpoint")
    second.restore(checkpoint.read(tmp_path / "x.checkpoint"))
    assert (second.step, second.adversarial_steps) == (2, 2)
    for one in (first, second):
        one.take(batch)
    for part in ("net", "average", "discriminator"):
        states = (getattr(one, part).state_dict() for one in (first, second))
        torch.testing.assert_close(*states, rtol=0, atol=0)


def test_the_weights_load_as_the_service_loads_them(tmp_path: Path) -> None:
    learner = trainer()
    learner.preview(tmp_path / "mine.safetensors")
    loaded, x = load(tmp_path / "mine.safetensors"), torch.rand(1, 4, 32, 32)
    torch.testing.assert_close(loaded(x), learner.average(x), rtol=0, atol=2e-3)  # half precision
    assert [path.name for path in tmp_path.iterdir()] == ["mine.safetensors"]
