"""Results and saved marks, small: what a page shows of many."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpResponse

from inpainting import admission, encoding, images, storage
from inpainting.images import SizeLimit
from inpainting.models import Result, SavedMark

SIDE = 192  # pixels: 96 on a page, on a screen of two to a pixel
KEPT = 60  # seconds: whoever asks for one again and again has none decoded
# Of the largest one at a time, apart from what calls decode: pages ask for fifty at once, and wait.
decoder = admission.Room(settings.MAX_SIDE**2, most_waiting=200, wait=30)


def answer(stored: Result | SavedMark, lasts: int) -> HttpResponse:
    """To a page. What is stored never changes: a browser may keep it for `lasts` seconds. Raises Http404,
    StorageUnavailable."""
    try:
        small = of(stored)
    except storage.NotThere as error:
        raise Http404 from error
    except admission.NoRoom as error:  # no traceback: whoever likes can fill a room
        return HttpResponse(str(error), status=503, headers={"Retry-After": str(error.retry_after)})
    return HttpResponse(small, content_type="image/webp", headers={"Cache-Control": f"private, max-age={lasts}"})


def of(stored: Result | SavedMark) -> bytes:
    """A WebP of at most SIDE x SIDE pixels: who asks for one eight times at once has it made once.

    Raises NotThere, StorageUnavailable, NoRoom.
    """
    key = f"thumbnail:{stored.storage_alias}:{stored.name}"
    small: bytes | None = cache.get(key)
    if small is None:
        with admission.turn(stored.owner_id):
            small = cache.get(key) or _made(stored)
            cache.set(key, small, KEPT)
    return small


def _made(stored: Result | SavedMark) -> bytes:
    data = storage.read_result(stored) if isinstance(stored, Result) else storage.read(stored)
    limit = SizeLimit(stored.size, settings.MAX_SIDE)
    return encoding.encode(images.shrunk(data, limit, SIDE, decoder), "webp")
