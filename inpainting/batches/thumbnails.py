"""Results, small: what a page shows of many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from django.conf import settings
from PIL import Image

from inpainting import encoding, images, storage
from inpainting.images import SizeLimit
from inpainting.models import Result

SIDE = 192  # pixels: 96 on a page, on a screen of two to a pixel


def of(result: Result) -> bytes:
    """A WebP of at most SIDE x SIDE pixels. Raises NotThere, StorageUnavailable, DecodersBusy."""
    picture = images.decode(storage.read_result(result), SizeLimit(result.size, settings.MAX_SIDE))
    layers = [picture.rgb] if picture.alpha is None else [picture.rgb, picture.alpha]
    image = Image.fromarray(np.dstack(layers))
    image.thumbnail((SIDE, SIDE))
    small = np.asarray(image)
    alpha = None if picture.alpha is None else small[..., 3]
    return encoding.encode(replace(picture, rgb=small[..., :3], alpha=alpha), "webp")
