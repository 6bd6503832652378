"""Lettering of any kind, found by PP-OCRv6's small detector, as the package rapidocr brings it (requirements-text.txt).

The network says of each pixel whether it is inside of a line of text: Liao et al., "Real-time Scene Text Detection with
Differentiable Binarization", AAAI 2020. Its file lies in the package: nothing is downloaded, and nothing is read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy import float32
from numpy.typing import NDArray

from inpainting.engine import hardware
from inpainting.engine.interface import Picture, TextRegion

# Pixels of the side of what the network sees: a larger picture is made smaller, which bounds time and memory; the
# shorter side of a smaller one is enlarged as far as that allows, as rapidocr does it: small print is found so.
LONGEST, SHORTEST = 1536, 736
# rapidocr widens lines for reading, twice as far around letters as is to be filled. UNCLIP is as little as leaves none
# out (measured on rendered lines of 16 to 120 pixels, turned and not). Then a line is widened by so many pixels and
# that share of its height: rims and shadows of letters are to go with them.
UNCLIP = 1.0
MARGIN, SHARE = 2.0, 0.08
MEGABYTES = 650.0  # that it takes while it looks at a square of LONGEST (measured); 75 between pictures


def installed() -> bool:
    return all(find_spec(package) is not None for package in ("rapidocr", "onnxruntime"))


class PaddleTextDetector:
    def __init__(self, look: Callable[[Picture], Any]) -> None:
        """`look`: rapidocr's TextDetector; takes (H, W, 3) BGR."""
        self._look = look

    def find(self, picture: Picture) -> list[TextRegion]:
        """Lines of lettering in (H, W, 3) RGB, the surest first."""
        height, width = picture.shape[:2]
        scale = min(LONGEST / max(height, width), max(1.0, SHORTEST / min(height, width)))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        seen = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        found = self._look(np.ascontiguousarray(seen[..., ::-1]))
        if found.boxes is None:
            return []
        back = np.array((width / size[0], height / size[1]), float32)
        regions = [
            TextRegion(*_bounds(polygon), float(score), tuple(map(tuple, polygon.tolist())))
            for quadrilateral, score in zip(found.boxes, found.scores, strict=True)
            if (polygon := _widened(quadrilateral.astype(float32) * back, height, width)) is not None
        ]
        return sorted(regions, key=lambda region: region.score, reverse=True)


def _widened(quadrilateral: NDArray[float32], height: int, width: int) -> NDArray[np.int32] | None:
    """(4, 2) corners to (N, 2): the rectangle around them, turned as they are, widened, and cut off at the picture's
    edges; None where it lies outside."""
    middle, sides, angle = cv2.minAreaRect(quadrilateral)
    more = 2 * (MARGIN + SHARE * min(sides))
    rectangle = cv2.boxPoints((middle, (sides[0] + more, sides[1] + more), angle))
    frame = np.array(((0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)), float32)
    area, common = cv2.intersectConvexConvex(rectangle, frame)
    return np.rint(common[:, 0]).astype(np.int32) if area > 0 else None


def _bounds(polygon: NDArray[np.int32]) -> tuple[int, int, int, int]:
    """x, y, width, height."""
    (left, top), (right, bottom) = polygon.min(0).tolist(), polygon.max(0).tolist()
    return left, top, right - left + 1, bottom - top + 1


def load() -> PaddleTextDetector:
    """Raises what keeps the packages from being imported, or the network's file from being read."""
    import rapidocr
    from omegaconf import OmegaConf
    from onnxruntime import InferenceSession, SessionOptions
    from rapidocr.ch_ppocr_det import TextDetector
    from rapidocr.utils.parse_parameters import ParseParams

    logging.getLogger("RapidOCR").setLevel(logging.WARNING)
    package = Path(rapidocr.__file__).parent
    options = SessionOptions()
    options.intra_op_num_threads = hardware.cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # see script/server
    options.enable_cpu_mem_arena = False  # which would keep what the largest picture took
    network = package / "models" / "PP-OCRv6_det_small.onnx"
    session = InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
    config = ParseParams.load(package / "config.yaml").Det
    ours = {"session": session, "limit_type": "max", "limit_side_len": LONGEST}
    ours |= {"unclip_ratio": UNCLIP, "use_dilation": False}
    merged: Any = OmegaConf.create({**config, **ours}, flags={"allow_objects": True})
    return PaddleTextDetector(TextDetector(merged))
