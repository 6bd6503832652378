"""How far a filled picture is from the real one."""

import pytest
import torch

from training.evaluate import metrics

HOLE = torch.zeros(1, 1, 32, 32)
HOLE[..., 8:24, 8:24] = 1


def test_detail_is_the_share_of_the_slopes_that_are_left() -> None:
    real = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    assert metrics.detail(real, real, HOLE) == 1
    assert metrics.detail(real / 2, real, HOLE) == pytest.approx(0.5)
    assert metrics.detail(torch.full_like(real, 0.5), real, HOLE) == 0


def test_detail_of_a_plain_picture_is_a_number() -> None:
    plain = torch.zeros(1, 3, 32, 32)

    assert metrics.detail(plain, plain, HOLE) == 0


def test_what_is_outside_the_hole_does_not_count() -> None:
    real = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    made = torch.where(HOLE > 0, real, 0)
    made[..., :7, :] = 0.3

    assert metrics.psnr(made, real, HOLE) == pytest.approx(58.9, abs=0.1)
