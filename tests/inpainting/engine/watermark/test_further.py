"""What one mark keeps from being seen is found once that is gone, and what it leaves is not taken for another."""

from dataclasses import replace

import numpy as np
import torch

from inpainting.engine.crops.boxes import parts
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.watermark.components import Decision, LogisticModel
from inpainting.engine.watermark.components import Mark as Decided
from inpainting.engine.watermark.further import further
from inpainting.engine.watermark.network import NetworkOutput
from tests.inpainting.engine.watermark.test_detector import LIMITS, detector, grey

BY_VERDICT = replace(LIMITS, component=LogisticModel(0.0, {"verdict": 1.0}))
RED, GREEN = (slice(40, 60), slice(30, 130)), (slice(100, 110), slice(60, 90))


class Dazzled(torch.nn.Module):
    """Stands in for a trained network that sees no green marks beside red ones. Both are half opaque."""

    def __init__(self, green: float) -> None:
        """`green`: its verdict on those, as log odds."""
        super().__init__()
        self._green = green

    def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
        red = (picture[:, :1] - picture[:, 1:2] > 0.3).float()
        green = (picture[:, 1:2] - picture[:, :1] > 0.3).float() * (1 - red.amax())
        marked = red + green + 0 * hints[:, :1]
        colour = torch.cat([red, green, 0 * red], 1)
        verdict = 3 * red + self._green * green
        return NetworkOutput(20 * marked - 10, 0.5 * marked, colour, torch.zeros_like(picture), verdict)


def marked(*colours: str) -> Picture:
    picture = grey(160, 200)
    for number, area in enumerate((RED, GREEN)):
        if ("red", "green")[number] in colours:
            picture[area] = 50
            picture[(*area, number)] = 177
    return picture


def test_a_mark_that_another_hid_comes_off_with_it() -> None:
    found = detector(Dazzled(green=6.0), BY_VERDICT).detect(marked("red", "green"))
    assert found.mask[RED].all()
    assert found.mask[GREEN].all()
    np.testing.assert_allclose(found.restored, grey(160, 200), atol=2)
    assert [box[:4] for box in found.boxes] == [(60, 100, 30, 10), (30, 40, 100, 20)]


def test_what_is_not_certain_stays() -> None:
    """As a first look at it would have called it a mark."""
    network = Dazzled(green=4.0)
    assert detector(network, BY_VERDICT).detect(marked("green")).mask.any()
    found = detector(network, BY_VERDICT).detect(marked("red", "green"))
    assert found.mask[RED].all()
    assert not found.mask[GREEN].any()
    np.testing.assert_array_equal(found.restored[GREEN], marked("green")[GREEN])


def test_where_a_user_drew_nothing_is_looked_for_again() -> None:
    drawn = np.zeros((160, 200), bool)
    drawn[20:130] = True
    found = detector(Dazzled(green=6.0), BY_VERDICT).detect(marked("red", "green"), drawn, trust="all")
    assert not found.mask[GREEN].any()


def test_what_the_first_mark_left_is_no_further_one() -> None:
    found = detector(Dazzled(green=6.0), BY_VERDICT).detect(marked("red"))
    ghost, other = found.mask.copy(), np.zeros_like(found.mask)
    other[100:110, 60:90] = True

    def decided(hole: Hole) -> Decision:
        (box,) = parts(hole)
        return Decision(hole, [Decided(box, hole[box.slices], 0.99)], [])

    assert further(decided(ghost), found) == Decision(None, [], [])
    kept = further(decided(other), found)
    assert kept.copies is other
    assert len(kept.marks) == 1
