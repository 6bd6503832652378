"""The verdict: the network says itself what was learned from what its layers say of parts."""

from pathlib import Path

import numpy as np
import pytest
import torch

from inpainting.engine.watermark.network import Unblend, UnblendConfig
from inpainting.engine.watermark.pyramid import Pyramid
from tests.pictures import photo
from tests.training.small_set import small_set
from training.watermark import trials, verdict
from training.watermark.regression import regression
from training.watermark.trials import is_kept, kept
from training.watermark.verdict import learn, overheard, pooled, settle, shown

TINY = UnblendConfig(widths=(8, 16, 16, 16), blocks=(0, 1, 1, 1))


def network() -> Unblend:
    """One whose probabilities lie on both sides of a half."""
    torch.manual_seed(0)
    return Unblend(TINY)


def parameters(net: Unblend, kind: str) -> list[torch.Tensor]:
    """The verdict's weights, or its biases, level by level."""
    return [values for name, values in net.verdict.named_parameters() if name.endswith(kind)]


def test_regression_finds_what_tells_and_the_ridge_holds_it_back() -> None:
    rng = np.random.default_rng(0)
    told = rng.normal(size=(4000, 3))
    marks = (rng.random(4000) < 1 / (1 + np.exp(-(0.5 + 2 * told[:, 0] - told[:, 1])))).tolist()

    constant, *weights = regression(told, marks, 0.01)
    held = regression(told, marks, 1000)

    assert constant == pytest.approx(0.5, abs=0.15)
    np.testing.assert_allclose(weights, [2, -1, 0], atol=0.2)
    assert 0 < held[1] < 1


def test_what_is_heard_is_what_the_network_says_of_a_part() -> None:
    net, picture = network(), photo(210, 150)
    rng = np.random.default_rng(1)
    for values in net.verdict.parameters():
        torch.nn.init.normal_(values)
    prediction, levels = overheard(Pyramid(net), picture)
    inside = rng.random((40, 90)) < 0.3
    where = slice(30, 70), slice(100, 190)

    heard = pooled(levels, where, inside)

    weights = torch.cat([weight.flatten() for weight in parameters(net, "weight")]).numpy()
    constant = sum(map(float, parameters(net, "bias")))
    assert len(heard) == len(weights) == 56
    assert constant + weights @ heard == pytest.approx(prediction.verdict[where][inside].mean(), abs=0.02)
    assert np.ptp(prediction.verdict) > 0.2


def test_it_is_settled_on_the_log_odds() -> None:
    net, rng = network(), np.random.default_rng(0)
    told = rng.normal(5, 2, (3000, 56)).astype(np.float32)
    marks = [bool(one) for one in told[:, 3] > 5]

    settle(net.verdict, told, marks)

    weights = torch.cat([weight.flatten() for weight in parameters(net, "weight")]).numpy()
    said = told @ weights + sum(map(float, parameters(net, "bias")))
    assert np.mean((said > 0) == np.array(marks)) > 0.9


@pytest.mark.slow
def test_it_is_learned_from_pictures_that_the_thresholds_do_not_need(tmp_path: Path) -> None:
    data, net = small_set(tmp_path / "set"), network()
    said: list[str] = []

    learn(net, data, 30, said.append)

    assert any(bool(weight.any()) for weight in parameters(net, "weight"))
    kinds = [is_marked.any() for _, is_marked in shown(data, range(30))]
    assert any(kinds)
    assert not all(kinds)
    assert [number for number in range(11) if is_kept(number)] == [0, 5, 10]
    again = network()
    learn(again, data, 30, said.append)
    for one, other in zip(net.verdict.parameters(), again.verdict.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_it_is_learned_from_whole_pictures_and_from_parts_of_larger_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "SIDE", 64)
    monkeypatch.setattr(verdict, "SMALLEST", 48)

    sides = [max(picture.shape) for picture, _ in shown(small_set(tmp_path / "set"), range(40))]

    assert max(sides) == 64
    assert min(sides) < 60
    assert 64 in sides[:20]


def test_thresholds_are_chosen_on_small_and_on_large_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = small_set(tmp_path / "set")
    whole = list(kept(data))
    monkeypatch.setattr(trials, "SIDE", 64)

    both = list(kept(data))

    assert [max(picture.shape) for _, picture in both] == [64, 128] * len(whole)
    assert len({number for number, _ in both}) == len(both)
