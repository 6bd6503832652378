"""Marks that are sure only where the picture is smaller: found there, and taken off at full size."""

import numpy as np
import torch

from inpainting.engine.interface import Detection, Picture
from inpainting.engine.watermark.components import confidence
from inpainting.engine.watermark.network import NetworkOutput
from tests.inpainting.engine.watermark.test_detector import LIMITS, detector, grey

AS_TRAINED = 256  # pixels: the longest picture in which the stand-in is sure


class Nearsighted(torch.nn.Module):
    """Stands in for a trained network that knows no large marks: red ones, half opaque, in small pictures only.

    In larger ones it has to be told where to look, and if it is `blind` not even then.
    """

    def __init__(self, *, blind: bool = False) -> None:
        super().__init__()
        self.blind = blind

    def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
        told = torch.zeros_like(hints[:, -1:]) if self.blind else hints[:, -1:]
        looks = torch.ones_like(told) if max(picture.shape[2:]) <= AS_TRAINED else told
        red = ((picture[:, :1] - picture[:, 1:2] > 0.3) & (looks > 0.5)).float()
        colour = torch.cat([red, 0 * red, 0 * red], 1)
        return NetworkOutput(20 * red - 10, 0.5 * red, colour, torch.zeros_like(picture), 0 * red)


def large_mark() -> tuple[Picture, np.ndarray]:
    """A grey picture with a red bar, and where that is."""
    picture, bar = grey(320, 480), np.zeros((320, 480), bool)
    bar[140:180, 100:380] = True
    picture[bar] = [178, 50, 50]  # half red over grey
    return picture, bar


def assert_nothing_found(detection: Detection, picture: Picture) -> None:
    assert not detection.boxes
    assert not detection.mask.any()
    np.testing.assert_array_equal(detection.restored, picture)


def test_a_mark_that_is_sure_in_the_smaller_picture_is_taken_off_at_full_size() -> None:
    picture, bar = large_mark()
    detection = detector(Nearsighted()).detect(picture)
    np.testing.assert_array_equal(detection.mask, bar)
    np.testing.assert_allclose(detection.restored[150:170, 120:360], 100, atol=2)
    np.testing.assert_array_equal(detection.restored[~detection.touched], picture[~detection.touched])


def test_it_is_as_sure_as_it_was_there() -> None:
    picture, _ = large_mark()
    found = detector(Nearsighted()).detect(picture).boxes[0]
    assert found.score == confidence(LIMITS.component.constant)  # not the probability of its pixels, which is 1


def test_what_is_not_seen_at_full_size_stays() -> None:
    picture, _ = large_mark()
    assert_nothing_found(detector(Nearsighted(blind=True)).detect(picture), picture)


def test_what_is_a_speck_in_the_smaller_picture_stays() -> None:
    picture = grey(320, 480)
    picture[160:164, 200:216] = [178, 50, 50]
    assert_nothing_found(detector(Nearsighted()).detect(picture), picture)


def test_in_a_users_mask_nothing_is_looked_for_elsewhere() -> None:
    picture, bar = large_mark()
    elsewhere = np.zeros_like(bar)
    elsewhere[20:60, 20:60] = True
    assert not detector(Nearsighted()).detect(picture, elsewhere).mask[bar].any()
