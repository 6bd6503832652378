"""Holes of every kind, and what an inpainter may be given."""

import numpy as np
from hypothesis import strategies as st

from inpainting.engine.crops.plan import Limits
from inpainting.engine.interface import Hole

LIMITS = Limits(context=32, area=256 * 256, thickness=96, work=1 << 18)
ROOMY = Limits(context=32, area=1 << 24, thickness=1 << 14, work=1 << 30)

boxes = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))


@st.composite
def holes(draw: st.DrawFn) -> Hole:
    """Pictures of any shape, boxes of any size in them; at least one pixel is known."""
    height, width = draw(st.integers(1, 600)), draw(st.integers(1, 600))
    hole = np.zeros((height, width), bool)
    for top, left, tall, wide in draw(st.lists(boxes, max_size=8)):
        y, x = int(top * height), int(left * width)
        hole[y : y + 1 + int(tall * height), x : x + 1 + int(wide * width)] = True
    if draw(st.booleans()):
        hole[:: draw(st.integers(2, 90)), :: draw(st.integers(1, 90))] = True
    hole[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] = False
    return hole
