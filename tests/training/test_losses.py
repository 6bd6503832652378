import math

import pytest
import torch
from torch import Tensor

from training import losses

HALF = torch.zeros(1, 1, 8, 8)
HALF[..., :4] = 1


def test_l1_looks_only_where_it_should() -> None:
    real, made = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.25)
    made[..., 4:] = 9
    assert losses.l1(made, real, HALF).item() == pytest.approx(0.25)
    assert losses.l1(made, real, torch.zeros_like(HALF)).item() == 0


def test_perceptual_is_relative_and_in_the_hole() -> None:
    real = [torch.full((1, 2, 8, 8), 2.0), torch.full((1, 2, 4, 4), 40.0)]
    made = [features * 1.5 for features in real]
    assert losses.perceptual(made, real, HALF).item() == pytest.approx(0.5)
    made = [torch.where(torch.arange(f.shape[-1]) >= f.shape[-1] // 2, 99.0, f) for f in real]
    assert losses.perceptual(made, real, HALF).item() == 0


def test_the_generator_wants_its_hole_to_look_real() -> None:
    def loss(score: float) -> float:
        return losses.generator_adversarial(torch.full((1, 1, 4, 4), score), HALF).item()

    assert loss(-3) > loss(0) > loss(3)
    assert loss(0) == pytest.approx(math.log(2))


def test_the_discriminator_is_told_that_the_known_part_is_real() -> None:
    real = torch.full((1, 1, 4, 4), 5.0)
    right, wrong = torch.full((1, 1, 4, 4), 5.0), torch.full((1, 1, 4, 4), -5.0)
    right[..., :2] = -5  # the hole
    wrong[..., :2] = 5
    assert losses.discriminator_adversarial(real, right, HALF) < losses.discriminator_adversarial(real, wrong, HALF)


def test_the_gradient_penalty_is_the_squared_slope() -> None:
    def scored(picture: Tensor) -> Tensor:
        return (3 * picture[:, :1]).sum(dim=(2, 3), keepdim=True)

    real = torch.rand(2, 3, 4, 4, requires_grad=True)
    assert losses.gradient_penalty(scored(real), real).item() == pytest.approx(9 * 16)


def test_feature_matching_moves_only_the_made_ones() -> None:
    made, real = [torch.ones(1, 1, 2, 2, requires_grad=True)], [torch.zeros(1, 1, 2, 2, requires_grad=True)]
    losses.feature_matching(made, real).backward()
    assert made[0].grad is not None
    assert real[0].grad is None


def test_what_lies_deep_in_a_hole_counts_less() -> None:
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 10:50, 10:50] = 1
    real, edge, middle = torch.zeros(3, 1, 3, 64, 64)
    edge[..., 12:14, 20:40] = middle[..., 30:32, 20:40] = 1
    assert losses.discounted_l1(edge, real, hole) > 5 * losses.discounted_l1(middle, real, hole) > 0
    assert losses.discounted_l1(1 - hole, real, hole) == 0


def test_a_large_hole_counts_no_more_than_a_small_one() -> None:
    holes = torch.zeros(2, 1, 64, 64)
    holes[0, :, 20:30, 20:30] = holes[1, :, 31, 31] = 1
    made = torch.ones(2, 3, 64, 64)
    made[0] = 0
    pairs = [(made, torch.zeros_like(made))]
    assert losses.unlike(pairs, holes).mean().item() == pytest.approx(
        0.5
    )  # unit length against none, in one of two pictures


def test_texture_may_lie_anywhere_and_may_not_be_grey() -> None:
    real = torch.zeros(1, 2, 32, 32)
    real[..., ::4] = 1
    moved, grey, everywhere = real.roll(2, -1), torch.full_like(real, 0.5), torch.ones(1, 1, 32, 32)
    assert losses.texture([(moved, real)], everywhere, 16).item() == pytest.approx(0)
    assert losses.texture([(grey, real)], everywhere, 16).item() == pytest.approx(1)
    assert losses.unlike([(moved, real)], everywhere) > 0
