"""Candidates are weighed: by the prior until the network has learned, only in the hole, of any shape; and its files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from inpainting.engine.inpainters import hybrid
from inpainting.engine.nets.weighing import Weighing, WeighingConfig, load, save, weigh
from inpainting.engine.watermark import mending
from inpainting.engine.weights import HYBRID, REFINEMENT, WeightsError

TINY = WeighingConfig(candidates=2, inputs=7, widths=(4, 8), dilations=(1, 2), last_blocks=1, step=0.1)


class Pair(NamedTuple):
    """Two candidates, of which the second counts four times as much."""

    first: Tensor
    second: Tensor
    hole: Tensor

    @property
    def fills(self) -> tuple[Tensor, ...]:
        return self.first, self.second

    def inputs(self) -> Tensor:
        return torch.cat(list(self), 1)

    def prior(self) -> Tensor:
        return torch.tensor([0.0, 3.0]).log1p()[:, None, None]


def pair(height: int = 16, width: int = 24) -> Pair:
    rng = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, 1, 3, height, width, generator=rng)
    return Pair(first, second, (torch.rand(1, 1, height, width, generator=rng) > 0.5).float())


def network(config: WeighingConfig = TINY) -> Weighing:
    torch.manual_seed(0)
    return Weighing(config).eval().requires_grad_(False)


def test_it_works() -> None:
    given = pair()

    made = network()(given)

    mixed = 0.2 * given.first + 0.8 * given.second
    torch.testing.assert_close(made, torch.where(given.hole > 0, mixed, given.first))


def test_what_is_learned_changes_the_hole_and_nothing_else() -> None:
    net, given = network(), pair()
    net.head.weight.data.normal_(0, 1)

    made = net(given)

    outside = (given.hole == 0).expand_as(made)
    torch.testing.assert_close(made[outside], given.first[outside])
    assert ((made - network()(given)).abs()[~outside] > 0.01).float().mean() > 0.5


@pytest.mark.parametrize("widths", [(4,), (4, 8), (4, 8, 8)])
def test_any_number_of_levels_and_any_size(widths: tuple[int, ...]) -> None:
    given = pair(5, 7)

    made = weigh(network(replace(TINY, widths=widths)), Pair, given)

    assert made.shape[0] == 3
    mixed = torch.where(given.hole > 0, 0.2 * given.first + 0.8 * given.second, given.first)
    torch.testing.assert_close(made[:, :5, :7], mixed[0])


@pytest.mark.parametrize(("path", "config"), [(HYBRID, hybrid.CONFIG), (REFINEMENT, mending.CONFIG)])
def test_files_keep_the_names_that_they_have(path: Path, config: WeighingConfig, tmp_path: Path) -> None:
    save(tmp_path / "again.safetensors", load(path, config), {})

    before, after = load_file(path), load_file(tmp_path / "again.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("load", [hybrid.load, mending.load])
def test_another_file_is_refused(load: Callable[[Path], object], tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")

    with pytest.raises(WeightsError, match=r"other\.safetensors"):
        load(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"missing\.safetensors"):
        load(tmp_path / "missing.safetensors")
