"""Training computes the network that the service runs, only faster."""

from copy import deepcopy

import pytest
import torch

from inpainting.engine.inpainters.lama.network import Lama, masked_input
from training.lama.generator import TrainableFourierUnit, trainable


def inputs(height: int, width: int) -> torch.Tensor:
    return masked_input(torch.rand(2, 3, height, width), (torch.rand(2, 1, height, width) > 0.7).float())


@pytest.mark.parametrize("size", [(64, 64), (32, 56), (40, 24)])
def test_it_computes_the_same_with_the_same_gradients(lama: Lama, size: tuple[int, int]) -> None:
    plain, fast, x = deepcopy(lama).train(), trainable(deepcopy(lama)), inputs(*size)
    assert any(isinstance(module, TrainableFourierUnit) for module in fast.modules())
    first, second = plain(x), fast(x)
    torch.testing.assert_close(second, first, rtol=1e-4, atol=1e-5)
    for made in (first, second):
        made.square().mean().backward()
    for one, other in zip(plain.parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(fast.state_dict(), plain.state_dict(), rtol=1e-4, atol=1e-5)  # statistics too
