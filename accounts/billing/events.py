"""What an event of Stripe's is about. It says where to look, and nothing else of it is believed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import stripe


class Malformed(ValueError):
    """It is none of Stripe's making, and would be no better the next time."""


TOLERANCE = 300  # seconds between Stripe's clock and ours, as its library allows for what is late
NAME = re.compile(r"[\w.]{0,255}", re.ASCII)


@dataclass(frozen=True)
class Subject:
    event_id: str
    kind: str
    customer_id: str = ""  # empty: it is about nobody
    session_id: str = ""  # of a page on which something is paid once
    payment_id: str = ""  # of a charge


def check_not_ahead(signature: str) -> None:
    """`signature`: the header, verified by Stripe's library, which refuses old ones alone. Raises ValueError."""
    signed_at = re.search(r"(?:^|,)t=(\d{1,12})(?:,|$)", signature)
    if signed_at is None or int(signed_at[1]) > time.time() + TOLERANCE:
        raise ValueError


def subject_of(event: stripe.Event) -> Subject:
    """Raises Malformed."""
    try:
        about = event.data.object.to_dict()
        kind = about.get("object")
        is_session = kind == "checkout.session" and about.get("mode") == "payment"
        subject = Subject(
            event.id,
            event.type,
            _id(about if kind == "customer" else about.get("customer")),
            about["id"] if is_session else "",
            _id(about.get("payment_intent")) if kind == "charge" else "",
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise Malformed from error
    needed = [subject.event_id, subject.kind, *([subject.session_id] if is_session else [])]
    if not all(isinstance(part, str) and NAME.fullmatch(part) for part in vars(subject).values()) or not all(needed):
        raise Malformed
    if len(subject.event_id) > 100 or len(subject.kind) > 100:
        raise Malformed
    return subject


def _id(found: Any) -> str:
    """Of what Stripe tells by its id, or whole. Raises KeyError."""
    name: str = found["id"] if isinstance(found, dict) else found or ""
    return name
