"""What the service answers, as objects."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from iopaint import saving
from iopaint.reading import number

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Result:
    """A cleaned picture. `bytes(result)` is its file.

    size: (width, height) of the upright picture. pixels: how many were worked on; 0: the picture is unchanged.
    coverage: their share, 0 to 1. mask_source: provided, rectangles, saved, detected or none. confidence: 0 to 1,
    where the mask was detected. processing_time: seconds. charged: units of quota. mark_repair: of a saved logo,
    restored (computed away) or repainted (it did not fit).
    """

    content: bytes = field(repr=False)
    content_type: str
    size: tuple[int, int]
    mask_source: str
    pixels: int
    coverage: float
    confidence: float | None
    processing_time: float
    charged: int
    request_id: str
    mark_repair: str | None = None

    @classmethod
    def of(cls, answer: httpx.Response) -> Result:
        headers = answer.headers
        width, height = headers["X-Image-Size"].split("x")
        return cls(
            content=answer.content,
            content_type=picture_type(answer),
            size=(int(width), int(height)),
            mask_source=headers["X-Mask-Source"],
            pixels=int(headers["X-Mask-Pixels"]),
            coverage=number(headers["X-Mask-Coverage"]),
            confidence=number(headers["X-Mask-Confidence"]) if "X-Mask-Confidence" in headers else None,
            processing_time=number(headers["X-Processing-Time"]),
            charged=int(headers.get("X-Credits-Charged", 0)),
            request_id=headers.get("X-Request-Id", ""),
            mark_repair=headers.get("X-Mark-Repair"),
        )

    @property
    def changed(self) -> bool:
        return self.pixels > 0

    def __bytes__(self) -> bytes:
        return self.content

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the file, whole or not at all. Raises OSError."""
        saving.write(Path(path), self.content)
        return Path(path)

    def image(self) -> Image:
        """As a PIL picture. Raises ImportError without Pillow."""
        from PIL import Image

        return Image.open(io.BytesIO(self.content))


@dataclass(frozen=True)
class Box:
    """Pixels of the upright picture.

    score: 0 to 1; of a watermark: of all boxes with this score, that share holds one; of text: how sure the network is.
    kind: watermark or text. polygon: of text: its outline, x and y of each corner.
    """

    x: int
    y: int
    width: int
    height: int
    score: float = 1.0
    kind: str = "watermark"
    polygon: list[list[int]] = field(default_factory=list, hash=False)


@dataclass(frozen=True)
class Detection:
    """coverage: the share of the picture that was found, 0 to 1. proposals: not sure enough; empty unless asked for."""

    found: bool
    coverage: float
    boxes: list[Box]
    proposals: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class Quota:
    """In pictures. limit, remaining: None where the plan is unlimited. period: day or month."""

    limit: int | None
    used: int
    remaining: int | None
    period: str
    resets_at: datetime


@dataclass(frozen=True)
class Stats:
    """The account's requests over all keys and all time; times in seconds."""

    total: int
    success: int
    failed: int
    total_processing_time: float
    avg_processing_time: float
    plan: str
    quota: Quota


@dataclass(frozen=True)
class Health:
    """status: healthy or unhealthy; detail says what is wrong. model: the one that answers."""

    status: str
    model: str
    device: str
    gpu_available: bool
    weights: str | None = None
    precision: str = ""
    version: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Model:
    name: str
    description: str
    licence: str
    weights: str | None
    units: int | None  # of quota that a picture costs; None: the model is not on the plan
    available: bool
    default: bool


@dataclass(frozen=True)
class SavedMark:
    """A mask or a logo that the account keeps. width, height: its own, in pixels.

    picture_width, picture_height: of the picture it was made on; None where that is not known. opacity: of a logo,
    0 to 1; None: it is estimated in each picture.
    """

    id: str
    name: str
    kind: str
    anchor: str
    scaling: str
    width: int
    height: int
    picture_width: int | None
    picture_height: int | None
    opacity: float | None
    bytes: int
    created_at: datetime


@dataclass(frozen=True)
class Batch:
    """status: queued, running, succeeded (over, at least one picture succeeded), failed (over, none did), cancelled."""

    id: str
    status: str
    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    created_at: datetime
    expires_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return self.status not in ("queued", "running")


@dataclass(frozen=True)
class ItemError:
    code: str
    detail: str


@dataclass(frozen=True)
class ItemResult:
    """url: needs no key and cannot be guessed. coverage: 0 to 1; 0: nothing was found, and nothing charged.

    mask_source: provided, rectangles, shared (computed from all pictures of the batch), detected or none.
    """

    url: str
    width: int
    height: int
    coverage: float
    seconds: float
    expires_at: datetime
    mask_source: str = ""


@dataclass(frozen=True)
class Item:
    """A batch's picture. position: in the account's line while it is queued; 1 is next."""

    batch: str
    index: int
    name: str
    status: str
    position: int | None
    error: ItemError | None
    result: ItemResult | None

    @property
    def is_over(self) -> bool:
        return self.status not in ("queued", "running")


@dataclass(frozen=True)
class WebhookEndpoint:
    """An address that is told what happens. disabled: empty, or why: owner, staff, gone (it answered 410), failing."""

    id: str
    url: str
    events: list[str]
    created_at: datetime
    disabled: str
    failing_since: datetime | None


@dataclass(frozen=True)
class NewWebhookEndpoint(WebhookEndpoint):
    """secret: whsec_…, for webhooks.verify. It is in this answer and in no other."""

    secret: str = field(repr=False)


@dataclass(frozen=True)
class WebhookSecret:
    """previous_signs_until: till then deliveries are signed with the one before it, too; None: there was none."""

    secret: str = field(repr=False)
    previous_signs_until: datetime | None


@dataclass(frozen=True)
class DeliveryAttempt:
    """status: HTTP; None: no answer came, and error says why. answer: the beginning of its body. seconds: it took."""

    at: datetime
    seconds: float
    status: int | None
    answer: str
    error: str


@dataclass(frozen=True)
class Delivery:
    """An event on its way to an address. status: queued, running, succeeded or failed.

    message_id: the header webhook-id, the same in each attempt and replay. type: of the event. endpoint: an id; None:
    it goes to a batch's webhook_url. next_attempt_at: while it is queued.
    """

    id: str
    message_id: str
    type: str
    endpoint: str | None
    url: str
    status: str
    attempts: list[DeliveryAttempt]
    created_at: datetime
    finished_at: datetime | None
    next_attempt_at: datetime | None


def picture_type(answer: httpx.Response) -> str:
    """Its media type. Raises ValueError where it is no picture."""
    kind: str = answer.headers["Content-Type"].partition(";")[0].strip()
    if kind not in saving.TYPES:
        raise ValueError(f"{kind} is no picture")
    return kind
