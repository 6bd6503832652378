"""Results, small: what a page shows of many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from django.conf import settings
from django.core.cache import cache
from PIL import Image

from config import workplace
from inpainting import admission, encoding, images, storage
from inpainting.images import SizeLimit
from inpainting.models import Result

SIDE = 192  # pixels: 96 on a page, on a screen of two to a pixel
KEPT = 60  # seconds: whoever asks for one again and again has none decoded
# Of the largest one at a time, apart from what calls decode: pages ask for fifty at once, and wait.
decoder = admission.Room(settings.MAX_SIDE**2, most_waiting=200, wait=30)
# An account's are made one after another: who asks for one eight times at once has it made once, and no account has the
# decoder for itself. Accounts whose numbers differ by a multiple of this take turns with each other, too.
_turns = [admission.Room(1, most_waiting=50, wait=30) for _ in range(64)]


def of(result: Result) -> bytes:
    """A WebP of at most SIDE x SIDE pixels. Raises NotThere, StorageUnavailable, NoRoom."""
    key = f"thumbnail:{result.name}"
    small: bytes | None = cache.get(key)
    if small is None:
        with workplace.left(), _turns[(result.owner_id or 0) % len(_turns)].take(1):
            small = cache.get(key) or _made(result)
            cache.set(key, small, KEPT)
    return small


def _made(result: Result) -> bytes:
    picture = images.decode(storage.read_result(result), SizeLimit(result.size, settings.MAX_SIDE), decoder)
    layers = [picture.rgb] if picture.alpha is None else [picture.rgb, picture.alpha]
    image = Image.fromarray(np.dstack(layers))
    image.thumbnail((SIDE, SIDE))
    small = np.asarray(image)
    alpha = None if picture.alpha is None else small[..., 3]
    return encoding.encode(replace(picture, rgb=small[..., :3], alpha=alpha), "webp")
