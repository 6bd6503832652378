"""What is found in a picture where nobody marked anything: a watermark, lettering of any kind, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inpainting import engine
from inpainting.engine import Detection, Lettering, TextRegion, Trust
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.text.regions import filled
from inpainting.options import Target

# Share of a region of lettering that a watermark touches, above which the letters are its own. Letters cover a quarter
# to a half of what is around them; a mark that crosses a headline covers less.
OWN = 0.2


@dataclass(frozen=True)
class Findings:
    """None: not looked for."""

    marks: Detection | None
    lettering: Lettering | None

    @property
    def mask(self) -> Hole:
        """(H, W)"""
        masks = [found.mask for found in (self.marks, self.lettering) if found is not None]
        return np.asarray(np.logical_or.reduce(masks))


def find(picture: Picture, targets: Sequence[Target], trust: Trust) -> Findings:
    """In (H, W, 3); nothing is restored. Raises what `engine.detect` and `engine.find_text` raise."""
    marks = engine.detect(picture, trust=trust, mend=False) if "watermark" in targets else None
    lettering = engine.find_text(picture) if "text" in targets else None
    return Findings(marks, lettering and apart(lettering, marks))


def apart(lettering: Lettering, marks: Detection | None) -> Lettering:
    """Without the regions whose letters are a watermark's: that comes off by the repair that leaves less of a trace."""
    if marks is None or not marks.mask.any():
        return lettering
    left = [region for region in lettering.regions if _share(marks.touched, region) < OWN]
    return replace(lettering, regions=left, mask=filled(left, *marks.mask.shape))


def _share(touched: Hole, region: TextRegion) -> float:
    """Of the region's pixels: how many are touched."""
    corner = np.array((region.x, region.y))
    moved = region._replace(polygon=tuple(map(tuple, (np.array(region.polygon) - corner).tolist())))
    inside = filled([moved], region.height, region.width)
    area = slice(region.y, region.y + region.height), slice(region.x, region.x + region.width)
    return float(touched[area][inside].mean())
