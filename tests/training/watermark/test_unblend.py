"""Training the watermark network: it learns, it stops and goes on, and what it writes can be used."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from inpainting.engine.watermark.components import LogisticModel, Thresholds
from inpainting.engine.watermark.detector import load
from inpainting.engine.watermark.network import Unblend, UnblendConfig
from inpainting.engine.watermark.weights_file import read, write
from tests.training.conftest import Ran, Training
from tests.training.small_set import small_set
from training.data.examples import Batch, Maker
from training.data.marks.mark import Style
from training.trainer import Recipe
from training.watermark import calibration, unblend
from training.watermark.calibration import COMPONENT, MASK_PART, fit, limit
from training.watermark.trials import BANDS, SIDE
from training.watermark.unblend import UnblendTrainer, check

TINY = UnblendConfig(widths=(8, 16, 16, 16), blocks=(0, 1, 1, 1))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return small_set(tmp_path / "set")


def shrink(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(unblend, "Unblend", lambda: Unblend(TINY))
    patch.setattr(calibration, "SIDES", (SIDE,))  # the set has no larger pictures
    patch.setattr(calibration, "BANDS", BANDS[2:4])


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def one_batch(data: Path) -> Batch:
    style = Style(opacity=(0.5, 0.8), opaque=0, height=(0.5, 0.8))
    return Maker(data, "train").batch(np.random.default_rng(0), style, 64, 4)


@pytest.mark.slow
def test_it_learns_one_batch_by_heart(data: Path) -> None:
    trainer, batch = UnblendTrainer(Recipe(rate=1e-2, hours=1, warm_up=10), data), one_batch(data)
    before = check(trainer.net.eval(), batch)
    trainer.net.train()

    for _ in range(50):
        trainer.take(batch)

    after = check(trainer.net, batch)  # with the batch's own statistics
    assert after["f1"] > 0.7 > before["f1"]
    assert after["after"] > after["before"] + 2


def test_a_deeper_network_goes_on_where_a_smaller_one_was(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = UnblendTrainer(Recipe(steps=1), data)
    smaller.take(one_batch(data))
    limits = Thresholds(0.5, 1.0, 0.0, 0.3, fit([], COMPONENT), fit([], MASK_PART))
    write(tmp_path / "smaller.safetensors", smaller.net, limits, {})
    deeper = UnblendConfig(widths=TINY.widths, blocks=(0, 1, 1, 3))
    monkeypatch.setattr(unblend, "Unblend", lambda: Unblend(deeper))

    grown = UnblendTrainer(Recipe(steps=1), data, tmp_path / "smaller.safetensors").net.eval()

    picture, hints = torch.rand(1, 3, 64, 64), torch.rand(1, 5, 64, 64)
    said = read(tmp_path / "smaller.safetensors")[0](picture, hints)
    torch.testing.assert_close(grown(picture, hints).logit, said.logit)


@pytest.mark.slow
def test_it_trains_writes_and_has_nothing_left_to_do(data: Path, tmp_path: Path, training: Training) -> None:
    out = tmp_path / "out/net.safetensors"

    def train() -> Ran:
        options = ("--steps", 2, "--side", 64, "--batch", 2, "--workers", 0, "--verdict", 8)
        return training("watermark", "--data", data, "--out", out, *options)

    first = train().said
    weights = load_file(out)
    again = train().said

    assert "Step 2: loss " in first
    assert "Goes on at step 2" in again
    assert "Step" not in again
    torch.testing.assert_close(load_file(out), weights, rtol=0, atol=0)
    limits = load(out).thresholds
    assert 0 < limits.extent < 1
    assert limits.sure >= limits.likely >= 0


def test_the_model_of_components_is_learned_from_judged_ones() -> None:
    rng, judged = np.random.default_rng(0), []
    for _ in range(400):
        mark = rng.random() < 0.5
        doubt, verdict = rng.normal(0.5 if mark else 2, 0.5), rng.normal(0.5 if mark else 0, 0.3)
        judged.append(({"verdict": verdict, "doubt": doubt, "elsewhere": rng.uniform(-7, -2)}, mark))

    model = fit(judged, COMPONENT)

    assert model.coefficients["doubt"] < -2
    assert model.coefficients["verdict"] > 2
    assert abs(model.coefficients["elsewhere"]) < 1
    assert np.mean([(model.log_odds(features) > 0) == mark for features, mark in judged]) > 0.9
    assert fit([], MASK_PART) == LogisticModel(0.0, {"probability": 0.0, "verdict": 0.0})


def test_fewer_than_a_share_of_the_unmarked_pictures_are_above_the_limit() -> None:
    alarms = [0.5, 3.0, -np.inf, 2.0]

    assert limit(alarms, 0.25) == 3.0
    assert limit(alarms, 0.5) == 2.0
    assert limit(alarms, 1.0) == 0.0  # no less than even


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tensor, Path, Path]:
    """A kernel of a network after one step, its weights file, and the set it learned from."""
    folder = tmp_path_factory.mktemp("written")
    data = small_set(folder / "set")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        trainer = UnblendTrainer(Recipe(steps=1), data, verdict=8)
        trainer.take(one_batch(data))
        trainer.write(folder / "a.safetensors", print)
    return trainer.average.head.weight, folder / "a.safetensors", data


@pytest.mark.slow
def test_it_begins_with_given_weights(written: tuple[Tensor, Path, Path]) -> None:
    weight, path, data = written

    again = UnblendTrainer(Recipe(steps=1), data, path)

    torch.testing.assert_close(again.net.head.weight, weight.half().float(), check_stride=False)
    assert (again.step, again.origin) == (0, "a.safetensors")


@pytest.mark.slow
def test_evaluation_tells_each_range_of_opacity(
    written: tuple[Tensor, Path, Path], tmp_path: Path, training: Training
) -> None:
    _, path, data = written

    ran = training("evaluate", "--data", data, "--watermark", path, "--side", 96, "--out", tmp_path / "out")

    rows = json.loads((tmp_path / "out/table.json").read_text())
    bands = ["opacity 0.1-0.25", "opacity 0.25-0.4", "opacity 0.4-0.6", "opacity 0.6-0.9", "opaque"]
    kinds = [row for row in rows if str(row["marks"]).endswith((", tiled", ", single"))]
    others = [row for row in rows if row not in kinds]
    names = [*bands, *(f"drawn, {band}" for band in bands), "clean", "clean, with lettering", "drawn, no mark"]
    assert [row["marks"] for row in others] == names
    assert sum(int(row["pictures"]) for row in kinds) == sum(int(row["pictures"]) for row in others[:5])
    assert all(row["marked dB before"] > 5 for row in others[:-3])
    assert all(row["repaint: whole dB"] > 5 for row in others[5:10])
    assert all(row["whole dB before"] < row["whole dB at most"] for row in others[:10])
    assert all((tmp_path / "out" / name).stat().st_size > 0 for name in ("watermark.png", "drawn.png"))
    assert [line.split("|")[1].strip() for line in ran.said.splitlines()[2:]] == [row["marks"] for row in rows]
