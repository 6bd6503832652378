"""Webhooks, as the service signs them (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

TOLERANCE = 300.0  # seconds between the sender's clock and ours


class InvalidSignature(ValueError):
    """It was not sent by the service with this secret, not lately, or not as it arrived."""


@dataclass(frozen=True)
class Event:
    """id: the same in each attempt and replay: remember it, and handle none twice. data: as polling shows it."""

    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]


def verify(secret: str, headers: Mapping[str, str], body: bytes | str) -> Event:
    """The event in a request, when its signature is right and its age below five minutes.

    secret: whsec_…, as it was shown when the endpoint was made. headers: the request's, in any case. body: as it came,
    before it is parsed. Raises InvalidSignature.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    content = body.encode() if isinstance(body, str) else bytes(body)
    try:
        id, moment, signatures = (sent[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age = abs(time.time() - int(moment))
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except KeyError as error:
        raise InvalidSignature(f"There is no header {error.args[0]}.") from error
    except binascii.Error as error:
        raise InvalidSignature("The secret is not whsec_ and base64.") from error
    except ValueError as error:
        raise InvalidSignature("webhook-timestamp is no number of seconds.") from error
    if age > TOLERANCE:
        raise InvalidSignature("The webhook is older than five minutes, or a clock is wrong.")
    digest = hmac.digest(key, f"{id}.{moment}.".encode() + content, sha256)
    expected = b"v1," + base64.b64encode(digest)
    # Several while a secret is being rotated.
    if not any(hmac.compare_digest(expected, each.encode()) for each in signatures.split(" ")):
        raise InvalidSignature("No signature is right for this body and secret.")
    event = json.loads(content)
    told = datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00"))
    return Event(id, event["type"], told, event["data"])
