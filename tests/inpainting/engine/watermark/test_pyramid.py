"""A picture is looked at from coarse to fine, in tiles, from sides."""

from typing import Any

import numpy as np
import pytest
import torch

from inpainting.engine.crops.boxes import Box
from inpainting.engine.crops.tiles import WHOLE, tiles
from inpainting.engine.watermark.network import NetworkOutput
from inpainting.engine.watermark.pyramid import Care, Pyramid, enlarged
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


def test_beyond_what_may_be_looked_at_the_coarser_prediction_is_enlarged(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = grey(1100, 1100)
    picture[100:500, 100:500] = picture[700:1000, 900:1000] = (177, 50, 50)
    pyramid, looked = Pyramid(Oracle()), list[tuple[int, ...]]()  # type: ignore[arg-type]

    def counted(self: Pyramid, picture: np.ndarray, *others: Any) -> torch.Tensor:
        looked.append(picture.shape[:2])
        return run(self, picture, *others)

    run = Pyramid._run
    monkeypatch.setattr(Pyramid, "_run", counted)
    whole, part = (pyramid.predict(picture, None, Care(WHOLE, most)) for most in (1 << 22, 7 * 10**5))

    coarser, most_suspect = [(275, 275), (550, 550)], (832, 832)  # a tile with its context
    assert looked == [*coarser, most_suspect, (396, 396), (832, 396), *coarser, most_suspect]
    np.testing.assert_array_equal(part.probability[:768, :768], whole.probability[:768, :768])
    inside = np.s_[710:990, 910:990]
    assert part.probability[inside].min() > 0.99
    assert np.abs(part.opacity[inside] - whole.opacity[inside]).max() < 0.01
    assert np.abs(part.below[inside].astype(int) - whole.below[inside]).max() <= 2
    assert part.probability[600:690, 790:].max() < 0.01


@pytest.mark.parametrize("fast", [False, True])
def test_bfloat16_where_the_machine_multiplies_it(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": fast})
    picture = photo()

    opacity = Pyramid(settled()).predict(picture).opacity

    expected = torch.bfloat16 if fast else torch.float32
    assert {one.dtype for one in Pyramid(settled()).net.parameters()} == {expected}
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    np.testing.assert_allclose(opacity, Pyramid(settled()).predict(picture).opacity, atol=0.02)
