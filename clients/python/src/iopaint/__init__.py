"""IOPaint: removes watermarks and objects from pictures.

>>> from iopaint import IOPaintClient
>>> IOPaintClient().remove_watermark("image.jpg", mask="mask.png", output="result.png")  # doctest: +SKIP
"""

from iopaint import webhooks
from iopaint.answers import (
    Batch,
    Box,
    Detection,
    Health,
    Item,
    ItemError,
    ItemResult,
    Model,
    Quota,
    Result,
    SavedMark,
    Stats,
)
from iopaint.async_client import AsyncIOPaintClient
from iopaint.client import IOPaintClient
from iopaint.errors import (
    AuthenticationFailed,
    BatchTooLarge,
    BatchTooSmall,
    BodyTooLarge,
    Busy,
    ConnectionFailed,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    ImageTooLarge,
    InvalidImage,
    InvalidMask,
    InvalidRequest,
    IOPaintError,
    ModelNotInPlan,
    NotFound,
    QuotaExceeded,
    RateLimited,
    ServerError,
    TimedOut,
    Unavailable,
    UnexpectedAnswer,
)
from iopaint.removing import Processed
from iopaint.version import __version__

__all__ = [
    "AsyncIOPaintClient",
    "AuthenticationFailed",
    "Batch",
    "BatchTooLarge",
    "BatchTooSmall",
    "BodyTooLarge",
    "Box",
    "Busy",
    "ConnectionFailed",
    "Detection",
    "Health",
    "IOPaintClient",
    "IOPaintError",
    "IdempotencyInProgress",
    "IdempotencyKeyReused",
    "ImageTooLarge",
    "InvalidImage",
    "InvalidMask",
    "InvalidRequest",
    "Item",
    "ItemError",
    "ItemResult",
    "Model",
    "ModelNotInPlan",
    "NotFound",
    "Processed",
    "Quota",
    "QuotaExceeded",
    "RateLimited",
    "Result",
    "SavedMark",
    "ServerError",
    "Stats",
    "TimedOut",
    "Unavailable",
    "UnexpectedAnswer",
    "__version__",
    "webhooks",
]
