"""A batch is accepted as a whole or not at all: all files are looked at, all are stored, then units are reserved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts import lifetimes, reservations
from accounts.models import DefaultSigner, User
from accounts.prices import ask
from accounts.quota import QuotaExceeded, quota_of
from accounts.reservations import IDEMPOTENCY_TTL, Call, IdempotencyInProgress, IdempotencyMismatch
from accounts.webhooks.models import NoDefaultSecret
from inpainting import engine, images, masks, storage
from inpainting.batches.models import Batch, Item, Line
from inpainting.batches.wake import bell
from inpainting.images import SizeLimit
from inpainting.models import Upload
from inpainting.options import Options
from inpainting.prices import price_of
from inpainting.saved_marks.saved import Saved

NO_UNIT = {"code": "quota_exceeded", "detail": "The quota had no unit left for it. Try it again later."}
NOT_KEPT = {
    "code": "quota_exceeded",
    "detail": "The quota had no unit left for it, and it is not kept, as too many of your failed pictures are. "
    "Send it anew later.",
}


class BatchTooLarge(ValueError):
    def __init__(self, most: int) -> None:
        super().__init__(f"Too many pictures: a batch may have {most}.")


class BatchTooSmall(ValueError):
    def __init__(self) -> None:
        super().__init__(f"Too few pictures: shared_mark takes {engine.FEWEST_SHOTS} or more.")


class NothingToRetry(Exception):
    def __init__(self) -> None:
        super().__init__("Nothing can be tried again: no picture of the batch has failed, or their files are not kept.")


@dataclass(frozen=True)
class Source:
    """A picture of a batch that is to be; its files are read when they are needed, one at a time.

    `image`: None where it lies at `url` and a worker fetches it later.
    """

    name: str
    image: Callable[[], bytes] | None
    mask: Callable[[], bytes] | None = None
    url: str = ""


@dataclass(frozen=True)
class Order:
    """What is to be done to all of them. `mask`: one for all. `partial`: do as many as the quota has units for.

    `shared_mark`: all have the same mark. `fingerprint`: of the request that asks for it (see reservations.reserve).
    `expires_in`: seconds for which a result is kept (accounts.lifetimes); None: as the account chose.
    `saved`: the saved mark that all have; the batch gets a copy, so that it may be deleted meanwhile.
    """

    options: Options
    mask: bytes | None = None
    rectangles: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    partial: bool = False
    fingerprint: str = ""
    webhook_url: str = ""
    shared_mark: bool = False
    expires_in: int | None = None
    saved: Saved | None = None


def largest(user: User) -> int:
    """How many pictures a batch of this account may have."""
    most: int = settings.MAX_BATCH_SIZE
    return min(user.limits.batch_size or most, most)


def most_bytes(user: User, limit: SizeLimit) -> int:
    """Of the files that a batch of this account may have: a mask for each picture."""
    most: int = settings.MAX_BATCH_BYTES
    return min(2 * largest(user) * limit.max_bytes, most)


def admit(call: Call, count: int, options: Options, *, partial: bool = False) -> None:
    """Refuse a batch of so many pictures before anything is fetched for it: accept() would refuse it afterwards.

    Raises BatchTooLarge, UnknownModel, ModelNotInPlan, QuotaExceeded.
    """
    call.price = price_of(options.model)
    _check_size(call.account, count)
    _check_quota(call, count, partial=partial)


def accept(call: Call, sources: Sequence[Source], order: Order, limit: SizeLimit) -> Batch:
    """The batch, queued. Raises BatchTooLarge, BatchTooSmall, ModelNotInPlan, QuotaExceeded, NoDefaultSecret,
    UnknownModel, StorageUnavailable, what images.py and masks.py refuse; then nothing is stored, reserved or left.
    """
    user, call.price = call.account, price_of(order.options.model)
    _check_size(user, len(sources))
    if order.shared_mark and len(sources) < engine.FEWEST_SHOTS:
        raise BatchTooSmall
    if order.webhook_url and not DefaultSigner.objects.filter(owner=user).exists():
        raise NoDefaultSecret
    _check(sources, order, limit)
    _check_quota(call, len(sources), partial=order.partial)  # what others take meanwhile is seen below
    batch = _new_batch(call, order)
    stored: list[Upload] = []

    def keep(data: bytes, kind: Upload.Kind) -> Upload:
        stored.append(storage.put_upload(data, kind, user))
        return stored[-1]

    try:
        if order.saved is not None:
            batch.mark_state, batch.mark = Batch.Mark.SAVED, keep(order.saved.to_bytes(), Upload.Kind.MARK)
        shared = keep(order.mask, Upload.Kind.MASK) if order.mask is not None else None
        items = [
            Item(
                batch=batch,
                owner=user,
                index=index,
                name=source.name,
                options=order.options.to_json(),
                image=keep(source.image(), Upload.Kind.IMAGE) if source.image else None,
                image_url=source.url,
                mask=keep(source.mask(), Upload.Kind.MASK) if source.mask else shared,
            )
            for index, source in enumerate(sources)
        ]
        surplus = _write(call, batch, items, most_bytes(user, limit), partial=order.partial)
    except BaseException:
        for upload in stored:
            storage.discarded(upload)
        raise
    for upload in surplus:
        storage.discarded(upload)
    bell.wake(len(items))
    return batch


def batch_under_key(call: Call) -> Batch | None:
    """The batch that was accepted under the call's Idempotency-Key, while that is remembered."""
    if call.idempotency_key is None or call.user is None:
        return None
    batches = Batch.objects.filter(owner=call.user, idempotency_key=call.idempotency_key)
    batches.filter(created_at__lt=timezone.now() - IDEMPOTENCY_TTL).update(idempotency_key=None)
    return batches.first()


def accepted_before(call: Call, fingerprint: str) -> Batch | None:
    """The batch that the same request under the same Idempotency-Key became. Raises IdempotencyMismatch."""
    first = batch_under_key(call)
    if first is not None and first.fingerprint != fingerprint:
        raise IdempotencyMismatch
    if first is None:
        _check_key(call)
    return first


def retry(call: Call, batch: Batch, *, partial: bool) -> int:
    """Queue again what failed, and how many that are. A test key's batch stays one.

    Raises NothingToRetry, ModelNotInPlan, QuotaExceeded.
    """
    call.is_test = batch.api_key is not None and batch.api_key.is_test
    with transaction.atomic():
        Batch.objects.filter(pk=batch.pk).hold()  # two retries must not reserve for the same items
        failed = list(batch.items.filter(Item.CAN_BE_RETRIED).order_by("index"))
        if not failed:
            raise NothingToRetry
        call.price = price_of(Options.from_json(failed[0].options).model)
        again = _reserve(call, failed, partial=partial)
        for item in again:
            item.state, item.error, item.setbacks = Item.State.QUEUED, None, 0
            item.available_at, item.finished_at = timezone.now(), None
        Item.objects.bulk_update(again, ["usage", "state", "error", "setbacks", "available_at", "finished_at"])
    bell.wake(len(again))
    return len(again)


def _check_size(user: User, count: int) -> None:
    if count > largest(user):
        raise BatchTooLarge(largest(user))


def _check_quota(call: Call, count: int, *, partial: bool) -> None:
    each = 1 if call.price is None else ask(call.account, call.price)
    quota = quota_of(call.account)
    if not call.is_test and quota.remaining is not None and quota.remaining < each * (1 if partial else count):
        raise QuotaExceeded(quota, each, quota.remaining)


def _check(sources: Sequence[Source], order: Order, limit: SizeLimit) -> None:
    """Raises what is wrong with any of it, as far as headers tell."""
    with suppress(engine.EngineBusy):  # there is no hurry
        engine.check_room(order.options.model)
    if order.mask is not None:
        masks.check(order.mask, limit)
    if order.rectangles is not None:
        masks.from_rectangles(order.rectangles, limit.max_side, limit.max_side)
    for index, source in enumerate(sources):
        with _told_of(index, source.name):
            if source.image:
                images.check(source.image(), limit)
            if source.mask:
                masks.check(source.mask(), limit)


@contextmanager
def _told_of(index: int, name: str) -> Iterator[None]:
    """What is refused of one picture says of which."""
    try:
        yield
    except images.Refused as error:
        error.index, error.args = index, (f"{name}: {error}",)
        raise


def _check_key(call: Call) -> None:
    """IdempotencyMismatch, where the call's key is that of a call that is answered at once."""
    if call.idempotency_key and reservations.first_request(call.account, call.idempotency_key):
        raise IdempotencyMismatch


def _new_batch(call: Call, order: Order) -> Batch:
    lifetime = lifetimes.chosen("result", call.account, order.expires_in)
    return Batch(
        owner=call.account,
        api_key=call.api_key,
        request_id=call.request_id,
        endpoint=call.endpoint,
        expires_at=lifetimes.end(lifetime),
        lifetime=lifetime,
        rectangles=order.rectangles,
        metadata=order.metadata,
        webhook_url=order.webhook_url,
        mark_state=Batch.Mark.WANTED if order.shared_mark else Batch.Mark.UNASKED,
        idempotency_key=call.idempotency_key,
        fingerprint=order.fingerprint,
    )


@transaction.atomic
def _write(call: Call, batch: Batch, items: list[Item], most_unpaid: int, *, partial: bool) -> set[Upload]:
    """The files that are not kept. `most_unpaid`: bytes of those that wait for a unit."""
    if call.idempotency_key or partial:
        reservations.hold_account(call.account)
    if call.idempotency_key:
        _check_key(call)  # again: files were stored meanwhile
    reserved = _reserve(call, items, partial=partial)
    surplus = _forgo(items[len(reserved) :], most_unpaid) - {file for item in reserved for file in _files(item)}
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError as error:  # another request took the key while this one's files were stored
        if call.idempotency_key is None:
            raise  # the account was deleted meanwhile
        raise IdempotencyInProgress(None) from error
    Line.objects.get_or_create(owner=batch.owner)
    Item.objects.bulk_create(items)
    return surplus


def _reserve(call: Call, items: list[Item], *, partial: bool) -> list[Item]:
    """The items that got a unit each. The others, where `partial`, have failed."""
    usage = reservations.reserve_many(call, len(items), partial=partial)
    for item, unit in zip(items, usage, strict=False):
        item.usage = unit
    for item in items[len(usage) :]:
        item.state, item.finished_at = Item.State.FAILED, timezone.now()
        item.error = NO_UNIT
    return items[: len(usage)]


def _files(item: Item) -> set[Upload]:
    return {file for file in (item.image, item.mask, item.batch.mark) if file is not None}


def _forgo(unpaid: list[Item], most: int) -> set[Upload]:
    """What of their files is not kept: those of an account's failed pictures have `most` bytes together, since nobody
    has paid for them. Such a picture cannot be tried again."""
    if not unpaid:
        return set()
    failed = Item.objects.filter(owner=unpaid[0].owner, state=Item.State.FAILED)
    held = Upload.objects.of_items(failed).aggregate(bytes=Sum("size", default=0))["bytes"]
    kept: set[Upload] = set()
    surplus: set[Upload] = set()
    for item in unpaid:
        files = _files(item)
        more = sum(file.size for file in files - kept)
        if more and held + more > most:
            surplus |= files
            item.image, item.mask, item.image_url, item.error = None, None, "", NOT_KEPT
        else:
            kept |= files
            held += more
    return surplus - kept
