import json
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


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        (signed(), BODY.replace("b", "c"), "No signature"),
        (signed(secret="whsec_" + "QUFB" * 8), BODY, "No signature"),
        (signed(datetime.now(UTC) - timedelta(minutes=6)), BODY, "older"),
        (signed(datetime.now(UTC) + timedelta(minutes=6)), BODY, "older"),
        ({**signed(), "Webhook-Timestamp": "soon"}, BODY, "no number"),
        ({**signed(), "Webhook-Signature": "v1,\xe9"}, BODY, "No signature"),
        ({}, BODY, "webhook-id"),
    ],
)
def test_what_is_not_the_services_is_refused(headers: dict[str, str], body: str, why: str) -> None:
    with pytest.raises(webhooks.InvalidSignature, match=why):
        webhooks.verify(SECRET, headers, body)


def test_a_secret_that_is_none_is_told() -> None:
    with pytest.raises(webhooks.InvalidSignature, match="secret"):
        webhooks.verify("whsec_?", signed(), BODY)
