"""What an event of Stripe's is about. It says where to look, and nothing else of it is believed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import stripe


class Malformed(ValueError):
    """It is none of Stripe's making, and would be no better the next time."""


@dataclass(frozen=True)
class Subject:
    event_id: str
    kind: str
    customer_id: str = ""  # empty: it is about nobody
    session_id: str = ""  # of a page on which something is paid once
    payment_id: str = ""  # of a charge


def subject_of(event: stripe.Event) -> Subject:
    """Raises Malformed."""
    try:
        about = event.data.object.to_dict()
        kind = about.get("object")
        customer_id = about.get("id") if kind == "customer" else about.get("customer")
        is_session = kind == "checkout.session" and about.get("mode") == "payment"
        subject = Subject(
            event.id,
            event.type,
            customer_id or "",
            _name(about, "id") if is_session else "",
            (about.get("payment_intent") or "") if kind == "charge" else "",
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise Malformed from error
    said = vars(subject).values()
    if not all(isinstance(part, str) and re.fullmatch(r"[\w.]{0,255}", part, re.ASCII) for part in said):
        raise Malformed
    if len(subject.event_id) > 100 or len(subject.kind) > 100:
        raise Malformed
    return subject


def _name(about: dict[str, str], member: str) -> str:
    """One that has to be there. Raises KeyError."""
    if not about[member]:
        raise KeyError(member)
    return about[member]
