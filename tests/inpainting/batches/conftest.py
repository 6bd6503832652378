"""Batches of tiny pictures, accepted as the API accepts them."""

from accounts.reservations import Call
from inpainting.batches.accept import Order, Source, accept
from inpainting.batches.models import Batch
from inpainting.images import SizeLimit
from inpainting.options import Options
from tests import pictures
from tests.conftest import Account

PHOTO, MASK = pictures.photo(48, 32), pictures.box_mask(48, 32, (20, 10, 26, 16))
IMAGE = pictures.file(PHOTO).getvalue()
LIMIT = SizeLimit.of(None, None)


def submit(account: Account, count: int = 2, **order: object) -> Batch:
    account.user.refresh_from_db()
    call = Call(account.user, account.key, "/api/v1/batch", "0" * 32)
    sources = [Source(f"{number}.png", lambda: IMAGE) for number in range(count)]
    options = Options(model="patchmatch")
    return accept(call, sources, Order(options, pictures.file(MASK).getvalue(), **order), LIMIT)  # type: ignore[arg-type]
