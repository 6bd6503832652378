"""The whole story of a picture: reserve its price, run the engine, store or return, settle; or give the unit back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from accounts import lifetimes
from accounts.public import take_bytes
from accounts.reservations import Call, IdempotencyMismatch, Reservation, hold_account, record_outcome, reserve, resume
from config import fetching, workplace
from config.postgres import lend_connection
from inpainting import encoding, engine, findings, images, removal, stamp, storage
from inpainting.batches import claims, shared_marks
from inpainting.batches.accept import batch_under_key
from inpainting.batches.models import Batch, Item
from inpainting.batches.wake import bell
from inpainting.engine import Trust
from inpainting.engine.interface import Picture
from inpainting.findings import Findings
from inpainting.images import SizeLimit
from inpainting.models import Result, Upload
from inpainting.options import Options, Target
from inpainting.prices import price_of
from inpainting.removal import Job
from inpainting.saved_marks.saved import Saved


@dataclass(frozen=True)
class Cleaned:
    """What became of a job.

    `seconds`: the engine's own, without the wait for it. `pixels`: how many were worked on; 0 where there was nothing
    to remove, and nothing is charged. `coverage`: their share of the picture, 0..1. `confidence`: that what was found
    is a mark, 0..1; 0 where nothing was. `shared`: it was the job's shared mark. `replayed`: the
    same request had been answered before, and charged then.
    """

    data: bytes
    seconds: float
    pixels: int
    coverage: float
    confidence: float
    shared: bool = False
    replayed: bool = False


def check_room(call: Call, options: Options, *, masked: bool) -> None:
    """EngineBusy, before anything is decoded, where the engine would refuse it. A repeat may do without the engine."""
    if call.idempotency_key is None:
        with engine.on_behalf_of(call.caller):
            detects = options.seeks_watermark if not masked else options.mode_for(masked=True) != "repaint"
            engine.check_room(options.model, detects=detects, finds_text=options.seeks_text)


def check_detection_room(call: Call, targets: Sequence[Target]) -> None:
    """The same for `detect`."""
    with engine.on_behalf_of(call.caller):
        engine.check_room(inpaints=False, detects="watermark" in targets, finds_text="text" in targets)


def detect(call: Call, picture: Picture, targets: Sequence[Target], trust: Trust) -> Findings:
    """What `findings.find` finds in (H, W, 3). Costs no quota."""
    lend_connection()
    with workplace.left(), engine.on_behalf_of(call.caller):
        return findings.find(picture, targets, trust)


def clean(job: Job, *, is_test: bool = False) -> Cleaned:
    """The encoded result, stamped where `is_test`. Raises what the engine raises, and MaskCoversEverything."""
    lend_connection()
    with workplace.left():
        removed = removal.remove(job)
    picture = removed.picture.greyed() if job.picture.is_grey else removed.picture
    if is_test:
        picture = stamp.stamped(picture)
    data = encoding.encode(picture, job.format, job.options.metadata)
    coverage = removed.pixels / (job.picture.width * job.picture.height)
    return Cleaned(data, removed.seconds, removed.pixels, coverage, removed.confidence, removed.shared)


def _reserve(call: Call, fingerprint: str) -> Reservation:
    """Raises what reservations.reserve does; IdempotencyMismatch also for a key that a batch was accepted under."""
    if call.user is None or call.idempotency_key is None:
        return reserve(call, fingerprint)
    with transaction.atomic():
        hold_account(call.user)
        if batch_under_key(call) is not None:
            raise IdempotencyMismatch
        return reserve(call, fingerprint)


def answer(call: Call, fingerprint: str, job: Job) -> Cleaned:
    """v1: the picture itself. Nothing is stored: a repeat under an Idempotency-Key is computed again, uncharged."""
    call.price = price_of(job.options.model)
    with _reserve(call, fingerprint) as reservation:
        with engine.on_behalf_of(call.caller):
            cleaned = clean(job, is_test=call.is_test)
        width, height = job.picture.width, job.picture.height
        reservation.settle(seconds=cleaned.seconds, width=width, height=height, free=cleaned.pixels == 0)
    return replace(cleaned, replayed=reservation.replayed)


def store(call: Call, fingerprint: str, job: Job, expires_in: int | None = None) -> Result:
    """Object remover: the stored result; a repeat under an Idempotency-Key gets the first one.

    If that is gone by then, it is computed again, uncharged, and stored under another name. `expires_in`: seconds, as
    Order has it.
    """
    call.price = price_of(job.options.model)
    with _reserve(call, fingerprint) as reservation:
        if reservation.replayed and (first := storage.live_result(reservation.answer)):
            return first
        with engine.on_behalf_of(call.caller):
            cleaned = clean(job, is_test=call.is_test)
        take_bytes(call, len(cleaned.data))
        lifetime = lifetimes.chosen("result", call.user, expires_in)
        result = storage.put_result(cleaned.data, call.user, lifetime=lifetime)
        try:
            width, height = job.picture.width, job.picture.height
            reservation.settle(seconds=cleaned.seconds, width=width, height=height, answer=result.name)
        except BaseException:
            result.delete()
            raise
    return result


def fetch(item: Item) -> None:
    """A batch's item, claimed, whose picture lies at an address: get it, and queue the item to be worked on.

    Raises FetchError, TooManyFetches, GaveWay, what images.py and storage.py raise, and Superseded; then nothing is
    stored.
    """
    owner = item.batch.owner
    if item.usage is None:
        raise claims.Superseded  # the batch is being deleted
    limit = SizeLimit.of(owner.limits.max_file_bytes, owner.limits.max_side)
    caller = resume(item.usage).call.caller
    lend_connection()
    data = fetching.get(item.image_url, limit.max_bytes, caller)
    images.check(data, limit)
    upload = storage.put_upload(data, Upload.Kind.IMAGE, owner)
    try:
        claims.fetched(item, upload)
    except BaseException:
        storage.discarded(upload)
        raise
    bell.wake()


def work(item: Item) -> None:
    """A batch's item, claimed, whose unit was reserved when the batch was accepted: the same story from there on.

    Raises what `clean`, images.py, masks.py and storage.py raise, and Superseded; then nothing is stored or charged.
    """
    started = time.monotonic()
    image, mask = (None if upload is None else storage.read(upload) for upload in (item.image, item.mask))
    if image is None or item.usage is None:
        raise claims.Superseded  # the batch is being deleted
    limit, options = SizeLimit.of(None, None), Options.from_json(item.options)  # the plan's limit was asked before
    reservation, rectangles = resume(item.usage), item.batch.rectangles
    saved = _saved_mark(item)
    shared = None if saved else shared_marks.mark_of(item)
    with Job.room(image, options, limit, mask=saved or mask, masked=bool(mask or rectangles)):
        if saved is not None:
            job = Job.marked(image, options, limit, saved)
        else:
            job = replace(Job.read(image, options, limit, mask=mask, rectangles=rectangles), mark=shared)
        with engine.on_behalf_of(reservation.call.caller, patient=True):  # an interactive call has the next turn
            cleaned = clean(job, is_test=reservation.call.is_test)
    result = storage.put_result(cleaned.data, item.batch.owner, job.format, item)
    try:
        width, height = job.picture.width, job.picture.height
        measured = {"width": width, "height": height, "coverage": cleaned.coverage, "seconds": cleaned.seconds}
        with transaction.atomic():
            claims.end(item, Item.State.SUCCEEDED, mask_source=_mask_source(item, cleaned), **measured)
            reservation.settle(seconds=cleaned.seconds, width=width, height=height, free=cleaned.pixels == 0)
            milliseconds = round((time.monotonic() - started) * 1000)
            record_outcome(reservation.call, status=200, code="", milliseconds=milliseconds)
    except BaseException:
        storage.discarded(result)
        raise
    storage.discard_inputs(item)


def _saved_mark(item: Item) -> Saved | None:
    """The batch's copy of the saved mark that was asked for."""
    batch = item.batch
    if batch.mark_state != Batch.Mark.SAVED:
        return None
    if batch.mark is None:
        raise claims.Superseded  # the batch is being deleted
    return Saved.from_bytes(storage.read(batch.mark))


def _mask_source(item: Item, cleaned: Cleaned) -> str:
    """What said where the mark is, as X-Mask-Source tells it, or shared: all pictures of the batch."""
    if item.mask is not None or item.batch.rectangles is not None:
        return "rectangles" if item.mask is None else "provided"
    if item.batch.mark_state == Batch.Mark.SAVED:
        return "saved"
    return "shared" if cleaned.shared else "detected" if cleaned.pixels else "none"
