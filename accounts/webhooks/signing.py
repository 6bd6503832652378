"""Signatures after Standard Webhooks 1.0.0, and the secrets they are made with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(id: str, timestamp: int, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """What a delivery carries: a signature with each of the secrets. `timestamp`: of this attempt, in seconds."""
    signatures = (_signature(id, timestamp, body, key) for key in keys)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
        "Content-Type": "application/json",
    }


def _signature(id: str, timestamp: int, body: bytes, key: str) -> str:
    signed = f"{id}.{timestamp}.".encode() + body
    digest = hmac.new(base64.b64decode(key.removeprefix(PREFIX)), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
