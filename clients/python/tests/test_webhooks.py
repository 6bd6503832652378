import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from iopaint import webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps({"type": "batch.succeeded", "timestamp": "2026-11-28T22:10:54.123Z", "data": {"id": "b"}})


def signed(at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    """Headers as the reference library makes them."""
    moment = at or datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", moment, BODY)
    stamp = str(int(moment.timestamp()))
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": stamp, "Webhook-Signature": signature}


def test_it_works() -> None:
    event = webhooks.verify(SECRET, signed(), BODY.encode())

    assert (event.id, event.type, event.data) == ("msg_1", "batch.succeeded", {"id": "b"})
    assert event.timestamp == datetime(2026, 11, 28, 22, 10, 54, 123000, UTC)


def test_any_of_several_signatures_will_do() -> None:
    old = signed(secret="whsec_" + "QUFB" * 8)["Webhook-Signature"]
    headers = signed()
    headers["Webhook-Signature"] = f"{old} {headers['Webhook-Signature']}"

    assert webhooks.verify(SECRET, headers, BODY).id == "msg_1"


OTHER = "whsec_" + "QUFB" * 8
SIX = timedelta(minutes=6)


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [  # signed when the test runs, as they age
        (signed, BODY.replace("b", "c"), "No signature"),
        (lambda: signed(secret=OTHER), BODY, "No signature"),
        (lambda: signed(datetime.now(UTC) - SIX), BODY, "older"),
        (lambda: signed(datetime.now(UTC) + SIX), BODY, "older"),
        (lambda: {**signed(), "Webhook-Timestamp": "soon"}, BODY, "no number"),
        (lambda: {**signed(), "Webhook-Signature": "v1,\xe9"}, BODY, "No signature"),
        (dict, BODY, "webhook-id"),
    ],
)
def test_what_is_not_the_services_is_refused(headers: Callable[[], dict[str, str]], body: str, why: str) -> None:
    with pytest.raises(webhooks.InvalidSignature, match=why):
        webhooks.verify(SECRET, headers(), body)


def test_a_secret_that_is_none_is_told() -> None:
    with pytest.raises(webhooks.InvalidSignature, match="secret"):
        webhooks.verify("whsec_?", signed(), BODY)
