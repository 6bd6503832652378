"""Further marks, which a mark that was found kept from being seen: the other lines of a grid, icons between words.

Once the first are computed away the picture is looked at once more. It is no longer known to have a mark, and what
looks like one is oftener a part of it: only what is tiled counts, and what is as good as certain.
"""

from dataclasses import replace

import numpy as np

from inpainting.engine.interface import Detection
from inpainting.engine.watermark.components import Decision

LARGEST = 3 << 19  # pixels of a picture that is looked at twice: bounds the work; agencies' previews are smaller
# Confidence: in a second look at real pictures an agency's icons had 0.99; lamps, a card's text and a man 0.67 to 0.77.
CERTAIN = 0.9
OLD = (
    0.5  # share of it that was computed away already, above which it is what the first left there, and no further mark
)


def further(decision: Decision, found: Detection) -> Decision:
    """Of what was decided on in what is restored of `found` the marks that are further ones."""
    copies = decision.copies
    if copies is not None and (not copies.any() or found.touched[copies].mean() > OLD):
        copies = None
    marks = [
        mark
        for mark in decision.marks
        if mark.confidence >= CERTAIN and found.touched[mark.box.slices][mark.inside].mean() <= OLD
    ]
    return decision._replace(copies=copies, marks=marks)


def with_more(found: Detection, more: Detection) -> Detection:
    """Both as one; `more` was found in what is restored of `found`."""
    planes = [one.copies for one in (found, more) if one.copies is not None]
    return replace(
        found,
        probability=np.maximum(found.probability, more.probability * more.mask),
        opacity=1 - (1 - found.opacity) * (1 - more.opacity),
        mask=found.mask | more.mask,
        restored=more.restored,
        touched=found.touched | more.touched,
        boxes=sorted([*found.boxes, *more.boxes], key=lambda box: -box.score),
        copies=np.logical_or.reduce(planes) if planes else None,
    )
