"""Pictures that were made to keep the detector busy cost a bounded amount of work: counted in pixels, not timed.

The network is a stand-in that suspects every bright pixel, so that each stage does the most that it ever does.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from PIL import Image, ImageDraw, ImageFont

from inpainting.engine.crops.tiles import WHOLE
from inpainting.engine.watermark import mending, pyramid
from inpainting.engine.watermark.detector import Detector
from inpainting.engine.watermark.network import NetworkOutput
from inpainting.engine.watermark.tiled import lifting, search
from tests.inpainting.engine.watermark.test_detector import LIMITS, Oracle
from tests.inpainting.engine.watermark.tiled.test_search import scene

SIDE = 2100  # more than may be looked at and mended everywhere


class Suspicious(Oracle):
    def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
        output = super().forward(picture, hints)
        bright = (picture.mean(1, keepdim=True) > 0.5).float()
        return NetworkOutput(
            20 * bright - 10, 0.4 * bright, torch.ones_like(picture), output.correction, output.verdict
        )


def tiles_of(tile: np.ndarray) -> np.ndarray:
    times = -(-SIDE // len(tile))
    return np.ascontiguousarray(np.tile(tile, (times, times, 1))[:SIDE, :SIDE])


def lettering(side: int) -> np.ndarray:
    sheet = Image.new("RGB", (side, side), (90, 110, 80))
    ImageDraw.Draw(sheet).text((side // 10, side // 3), "SAMPLE", "white", ImageFont.load_default(side // 5))
    return np.asarray(sheet)


ATTACKS: dict[str, Callable[[], np.ndarray]] = {
    "a tile of 200 pixels": lambda: tiles_of(scene(200, 200)),
    "a tile of lettering": lambda: tiles_of(lettering(100)),
    "noise": lambda: default_rng(22).integers(0, 256, (SIDE, SIDE, 3), np.uint8),
}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Pixels that each stage works on, from now on: of the network once for each view."""
    done = Counter[str]()

    def count(module: Any, name: str, stage: str, pixels: Callable[..., int]) -> None:
        function = getattr(module, name)

        def counted(*arguments: Any) -> Any:
            done[stage] += pixels(*arguments)
            return function(*arguments)

        monkeypatch.setattr(module, name, counted)

    count(pyramid.Pyramid, "_run", "network", lambda _, picture, hints, views: len(views) * picture[..., 0].size)
    count(search, "rough_mark", "rough marks", lambda picture, lattice: picture[0].numel())
    count(lifting, "local_mean", "lifted", lambda picture, hole: picture[0].numel())
    count(mending, "estimates", "mended", lambda picture, detection, near, box: box.area)
    return done


def unchanged(net: Any, kind: Any, planes: Any) -> torch.Tensor:
    marked, *_ = planes
    return torch.as_tensor(marked[0])


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_work_is_bounded(attack: str, work: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "weigh", unchanged)
    detector = Detector(Suspicious(), LIMITS, torch.nn.Identity())  # type: ignore[arg-type]

    detector.detect(ATTACKS[attack](), trust="one")

    everywhere = 3 * 4 / 3 * WHOLE**2  # three views of that scale and all coarser ones
    again = 3 * 4 / 3 * (WHOLE / 2) ** 2 + WHOLE**2 + pyramid.AGAIN.most
    assert WHOLE**2 < work["network"] <= everywhere + pyramid.FIRST.most + (1 + search.MOST) * again
    assert work["rough marks"] <= 6 * search.LARGEST**2
    assert work["lifted"] <= 2 * 1.5 * lifting.MEASURED
    assert work["mended"] <= mending.MENDED
