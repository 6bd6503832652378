"""The whole story of a picture: reserve a unit, run the engine, store or return, settle; or give the unit back."""

from __future__ import annotations

from dataclasses import dataclass

from accounts import limits
from inpainting import images, storage
from inpainting.engine import get_engine, seconds_held
from inpainting.images import Picture
from inpainting.masks import Weights


@dataclass(frozen=True)
class Job:
    """What is to be done: a picture, weights (H, W) of the same size with a hole, and the inpainter's name or None."""

    picture: Picture
    weights: Weights
    model: str | None = None


@dataclass(frozen=True)
class Cleaned:
    """The file, how long the engine took, and whether the same request had been answered before (and charged then)."""

    data: bytes
    seconds: float
    replayed: bool


def clean(job: Job, format: str = "png") -> tuple[bytes, float]:
    """The encoded result, and the engine's own seconds without the wait for it. Raises what the engine raises."""
    inpainter = get_engine(job.model)
    before = seconds_held()
    rgb = inpainter.predict(job.picture.rgb, job.weights)
    seconds = seconds_held() - before
    return images.encode(Picture(rgb, job.picture.alpha, job.picture.icc_profile), format), seconds


def answer(call: limits.Call, fingerprint: str, job: Job, format: str) -> Cleaned:
    """v1: the picture itself. Nothing is stored: a repeat under an Idempotency-Key is computed again, uncharged."""
    with limits.reserve(call, fingerprint) as reservation:
        data, seconds = clean(job, format)
        reservation.settle(seconds=seconds, width=job.picture.width, height=job.picture.height)
    return Cleaned(data, seconds, reservation.replayed)


def store(call: limits.Call, fingerprint: str, job: Job) -> str:
    """Object remover: the name of the stored result; a repeat under an Idempotency-Key gets the first one's."""
    with limits.reserve(call, fingerprint) as reservation:
        if reservation.replayed:
            return str(reservation.answer)
        data, seconds = clean(job)
        result = storage.put_result(data, call.user)
        try:
            size = {"width": job.picture.width, "height": job.picture.height}
            reservation.settle(seconds=seconds, answer=result.name, **size)
        except BaseException:
            storage.discard(result)
            raise
    return result.name
