"""A step, and what is written down of the trainer."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from inpainting.engine.inpainters.lama.checkpoint import load
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig, masked_input
from inpainting.engine.inpainters.patchmatch import push_pull
from inpainting.engine.weights import WeightsError
from training import checkpoint
from training.data.batches import Batches, to_tensors
from training.evaluate import metrics
from training.features import Features
from training.lama.trainer import Recipe, Trainer

from .conftest import CPU, Ramps


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    return next(Batches(Ramps(), side=64, count=2, threads=1).start(0, CPU))


def trainer(features: Features, recipe: Recipe | None = None, ngf: int = 8) -> Trainer:
    torch.manual_seed(0)
    return Trainer(Lama(LamaConfig(ngf, n_blocks=1)), features, recipe or Recipe(warm_up=1), CPU)


def test_it_overfits_one_batch(features: Features) -> None:
    """The first gate: what cannot learn two pictures by heart, far better than a smooth fill, learns nothing."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 4, 4, 3), np.uint8).repeat(16, axis=1).repeat(16, axis=2)
    holes = np.zeros((2, 64, 64), bool)
    holes[:, 20:44, 12:52] = True
    image, hole = to_tensors(pictures, holes, CPU)
    smooth = np.stack([push_pull(*pair) for pair in zip(pictures, holes, strict=True)])
    learner = trainer(features, Recipe(rate=3e-3, warm_up=5), ngf=16)
    for _ in range(80):
        learner.step(image, hole, progress=0.1)
    with torch.no_grad():
        made = learner.generator(masked_input(image, hole))
    assert metrics.l1(made, image, hole) < 0.5 * metrics.l1(to_tensors(smooth, holes, CPU)[0], image, hole)


def test_the_discriminator_joins_when_the_recipe_says(features: Features, batch: tuple[Tensor, Tensor]) -> None:
    learner = trainer(features, Recipe(adversarial_from=0.5))
    assert "discriminator" not in learner.step(*batch, progress=0.4)
    before = [value.clone() for value in learner.discriminator.parameters()]
    found = learner.step(*batch, progress=0.5)
    assert {"adversarial", "matching", "discriminator"} <= found.keys()
    assert any((a != b).any() for a, b in zip(before, learner.discriminator.parameters(), strict=True))
    assert all(value.isfinite() for value in found.values())


def test_the_rate_warms_up_and_then_falls(features: Features) -> None:
    learner = trainer(features, Recipe(rate=1.0, warm_up=10))
    assert learner.rate(0) == pytest.approx(0.1)
    learner.steps = 100
    assert [learner.rate(p) for p in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0.02])


def test_fine_tuning_leaves_batchnorms_statistics_alone(features: Features, batch: tuple[Tensor, Tensor]) -> None:
    learner = trainer(features, Recipe.fine_tuning())
    before = {k: v.clone() for k, v in learner.generator.state_dict().items()}
    learner.step(*batch, progress=0)
    after = learner.generator.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if "running" in name)
    assert any(not torch.equal(before[name], after[name]) for name in before if name.endswith("weight"))


def test_training_goes_on_from_its_notes(features: Features, batch: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    first = trainer(features, Recipe(adversarial_from=0, warm_up=1))
    for _ in range(4):
        first.step(*batch, progress=0.2)
    checkpoint.save_notes(first, tmp_path / "x.training", {"origin": "tests"})
    second = trainer(features, Recipe(adversarial_from=0, warm_up=1))
    notes = checkpoint.read_notes(tmp_path / "x.training")
    checkpoint.restore(second, notes)
    assert (second.steps, second.adversarial_steps, notes["about"]) == (4, 4, {"origin": "tests"})
    for one in (first, second):
        one.step(*batch, progress=0.2)
    # Adam's state is kept in 8 bits, so a step differs by a few per cent of itself, and no more.
    pairs = zip(first.generator.parameters(), second.generator.parameters(), strict=True)
    differences = torch.cat([(a - b).detach().abs().flatten() for a, b in pairs])
    assert differences.mean() < 0.1 * first.rate(0.2)
    assert math.isclose(*(float(one.step(*batch, progress=0.2)["hole"]) for one in (first, second)), rel_tol=0.02)


def test_the_weights_load_as_the_service_loads_them(features: Features, tmp_path: Path) -> None:
    learner = trainer(features)
    checkpoint.save_weights(learner, tmp_path / "mine.safetensors")
    loaded, x = load(tmp_path / "mine.safetensors"), torch.rand(1, 4, 32, 32)
    torch.testing.assert_close(loaded(x), learner.average(x), rtol=0, atol=2e-3)  # half precision
    assert [path.name for path in tmp_path.iterdir()] == ["mine.safetensors"]


def test_a_failed_write_leaves_the_file_before_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_text("before")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint.written(path, fail)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("mine.safetensors", "before")]


def test_what_is_no_notes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.training").write_bytes(b"no notes")
    with pytest.raises(WeightsError, match="cannot be read as notes"):
        checkpoint.read_notes(tmp_path / "x.training")
