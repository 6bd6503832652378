"""A picture is looked at from coarse to fine, in tiles, from sides."""

import numpy as np
import pytest
import torch

from inpainting.engine.crops.boxes import Box
from inpainting.engine.crops.tiles import tiles
from inpainting.engine.watermark.network import NetworkOutput
from inpainting.engine.watermark.pyramid import Pyramid, enlarged
from tests.inpainting.engine.watermark.test_detector import Oracle, grey
from tests.inpainting.engine.watermark.test_network import settled
from tests.pictures import photo


def test_tiles_cover_a_picture_once() -> None:
    covered = np.zeros((1300, 1100), int)
    for tile in tiles(*covered.shape):
        covered[tile.slices] += 1

    assert (covered == 1).all()


def test_a_coarse_prediction_lands_where_it_was_seen() -> None:
    coarse = torch.zeros(4, 50, 60, dtype=torch.float16)
    coarse[0, 20:25, 30:40] = 1

    whole = enlarged(coarse, Box(0, 0, 99, 119), (99, 119))
    part = enlarged(coarse, Box(32, 48, 80, 112), (99, 119))

    assert whole.shape == (4, 99, 119)
    torch.testing.assert_close(part, whole[:, 32:80, 48:112])
    assert whole[0, 42:48, 62:78].min() == 1


def test_what_a_view_and_its_mirror_image_disagree_about_is_halved() -> None:
    class LeftSided(Oracle):
        """Sees marks in the left half of whatever it is shown."""

        def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
            output = super().forward(picture, hints)
            output.logit[..., picture.shape[3] // 2 :] = -10
            return output

    picture = grey(64, 128)
    picture[20:40, 8:28] = (177, 50, 50)

    probability = Pyramid(LeftSided()).predict(picture).probability  # type: ignore[arg-type]

    sure, unsure = probability[25:35, 12:24], 1 / (1 + np.exp(-10 / 3))  # of three views one is mirrored
    np.testing.assert_allclose(sure, unsure, atol=1e-3)
    assert probability[:, 64:].max() < 0.1


@pytest.mark.parametrize("fast", [False, True])
def test_bfloat16_where_the_machine_multiplies_it(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": fast})
    picture = photo()

    opacity = Pyramid(settled()).predict(picture).opacity

    expected = torch.bfloat16 if fast else torch.float32
    assert {one.dtype for one in Pyramid(settled()).net.parameters()} == {expected}
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    np.testing.assert_allclose(opacity, Pyramid(settled()).predict(picture).opacity, atol=0.02)
