"""The whole story of a picture: reserve a unit, run the engine, store or return, settle; or give the unit back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import connection

from accounts.reservations import Call, reserve
from inpainting import encoding, engine, removal, storage
from inpainting.options import Options
from inpainting.removal import Job


@dataclass(frozen=True)
class Cleaned:
    """What became of a job.

    `seconds`: the engine's own, without the wait for it. `pixels`: how many were worked on; 0 where there was nothing
    to remove, and nothing is charged. `coverage`: their share of the picture, 0..1. `confidence`: that what was found
    is a mark, 0..1; 0 where nothing was. `replayed`: the same request had been answered before, and charged then.
    """

    data: bytes
    seconds: float
    pixels: int
    coverage: float
    confidence: float
    replayed: bool = False


def check_room(call: Call, options: Options, *, masked: bool) -> None:
    """EngineBusy, before anything is decoded, where the engine would refuse it. A repeat may do without the engine."""
    if call.idempotency_key is None:
        engine.check_room(options.model, detects=not masked or options.mode_for(masked=True) != "repaint")


def clean(job: Job) -> Cleaned:
    """The encoded result. Raises what the engine raises, and MaskCoversEverything."""
    if not connection.in_atomic_block:
        connection.close()  # while the engine works, another thread may have this one's
    removed = removal.remove(job)
    picture = removed.picture.greyed() if job.picture.is_grey else removed.picture
    data = encoding.encode(picture, job.format, job.options.metadata)
    coverage = removed.pixels / (job.picture.width * job.picture.height)
    return Cleaned(data, removed.seconds, removed.pixels, coverage, removed.confidence)


def answer(call: Call, fingerprint: str, job: Job) -> Cleaned:
    """v1: the picture itself. Nothing is stored: a repeat under an Idempotency-Key is computed again, uncharged."""
    with reserve(call, fingerprint) as reservation:
        cleaned = clean(job)
        width, height = job.picture.width, job.picture.height
        reservation.settle(seconds=cleaned.seconds, width=width, height=height, free=cleaned.pixels == 0)
    return replace(cleaned, replayed=reservation.replayed)


def store(call: Call, fingerprint: str, job: Job) -> str:
    """Object remover: the name of the stored result; a repeat under an Idempotency-Key gets the first one's."""
    with reserve(call, fingerprint) as reservation:
        if reservation.replayed:
            return str(reservation.answer)
        cleaned = clean(job)
        result = storage.put_result(cleaned.data, call.user)
        try:
            width, height = job.picture.width, job.picture.height
            reservation.settle(seconds=cleaned.seconds, width=width, height=height, answer=result.name)
        except BaseException:
            storage.discard(result)
            raise
    return result.name
