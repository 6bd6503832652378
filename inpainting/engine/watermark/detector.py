"""Where a picture is watermarked, and what is below: one pipeline from a picture to a `Detection`."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import torch

from inpainting.engine.interface import Detection, Hole, Picture, Trust
from inpainting.engine.logo import Logo
from inpainting.engine.nets.weighing import Weighing
from inpainting.engine.shared_mark import SharedMark, Shot, Steps
from inpainting.engine.watermark import bars, further, mending
from inpainting.engine.watermark.components import Decision, Thresholds, decide
from inpainting.engine.watermark.network import Unblend
from inpainting.engine.watermark.pyramid import Prediction, Pyramid
from inpainting.engine.watermark.repeated import with_copies
from inpainting.engine.watermark.restoring import restore
from inpainting.engine.watermark.shared import fitting, lifting
from inpainting.engine.watermark.shared.mark import estimate
from inpainting.engine.watermark.smaller import decide_smaller
from inpainting.engine.watermark.tiled.search import TiledMark, tiled_mark
from inpainting.engine.watermark.weights_file import read, thresholds
from inpainting.engine.weights import WATERMARK

Seen = tuple[Prediction, TiledMark | None]


def load(path: Path = WATERMARK) -> "Detector":
    """The detector that a weights file holds. WeightsError: the file is missing or no watermark network."""
    net, about = read(path)
    return Detector(net, thresholds(about), mending.load())


class Detector:
    """Finds and lifts watermarks. May be called by many threads; the same picture gives the same answer."""

    def __init__(self, net: Unblend, thresholds: Thresholds, mender: Weighing | None = None) -> None:
        """`mender` mends what is restored; without one it stays as it was computed."""
        self.thresholds = thresholds
        self.pyramid = Pyramid(net)
        self.mender = mender.to(self.pyramid.device) if mender else None

    @torch.inference_mode()
    def detect(
        self, picture: Picture, hole: Hole | None = None, *, trust: Trust = "nobody", mend: bool = True
    ) -> Detection:
        """The protocol's: `picture` (H, W, 3) uint8, `hole`, a user's mask, (H, W) bool or None."""
        seen, decision = self._look(picture, hole, trust)
        lettered = bars.bars(picture) if hole is None else []
        decision, on_bars = bars.apart(decision, lettered, self.thresholds)
        mender = self.mender if mend else None
        found = mending.mend(mender, picture, restore(picture, *seen, decision), hole)
        if hole is None and found.mask.size <= further.LARGEST and found.mask.any():
            seen, decision = self._look(found.restored, None, "nobody")
            more = restore(found.restored, *seen, further.further(decision, found))
            found = further.with_more(found, mending.mend(mender, found.restored, more))
        return bars.wiped(found, lettered, on_bars) if on_bars else found

    def _look(self, picture: Picture, hole: Hole | None, trust: Trust) -> tuple[Seen, Decision]:
        """What is seen of a picture, and what of it is marked."""
        smaller: Iterable[Prediction] = ()
        if hole is None:
            prediction, smaller = self.pyramid.predict_scales(picture)
        else:
            prediction = self.pyramid.predict(picture, hole)
        tiled = tiled_mark(picture, prediction, hole, self.pyramid.predict)
        decision = decide(prediction, tiled, hole, trust, self.thresholds)
        if hole is None and decision.copies is None:
            if not decision.marks:
                look = partial(self.pyramid.predict_whole, picture)
                found = decide_smaller(smaller, picture.shape[:2], look, trust, self.thresholds)
                prediction, decision = found or (prediction, decision)
            if decision.marks:
                look = partial(self.pyramid.predict, picture)
                prediction, decision = with_copies(picture, prediction, decision, look, self.thresholds)
        return (prediction, tiled), decision

    @torch.inference_mode()
    def lift(self, picture: Picture, mark: SharedMark | Logo) -> Detection | None:
        """The protocol's."""
        return fitting.lift(picture, mark) if isinstance(mark, Logo) else lifting.lift(picture, mark)

    def shared_mark(self, shots: Sequence[Shot]) -> Steps:
        """The protocol's."""
        return estimate(shots)
