"""Signatures, as the reference library of Standard Webhooks checks them."""

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.webhooks import signing

BODY = '{"type": "webhook.test", "name": "Bäume"}'.encode()


def headers(*keys: str, at: float | None = None) -> dict[str, str]:
    return signing.headers("msg_1", int(at or time.time()), BODY, keys)


def test_it_works() -> None:
    key = signing.new_secret()

    assert Webhook(key).verify(BODY, headers(key)) == {"type": "webhook.test", "name": "Bäume"}
    assert len(base64.b64decode(key.removeprefix("whsec_"))) == 32


def test_another_body_or_secret_is_refused() -> None:
    key = signing.new_secret()

    for other, body in ((signing.new_secret(), BODY), (key, BODY + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(body, headers(key))


def test_both_secrets_sign_while_they_are_rotated() -> None:
    new, old = signing.new_secret(), signing.new_secret()

    for key in (new, old):
        Webhook(key).verify(BODY, headers(new, old))
    assert headers(new, old)["webhook-signature"].count("v1,") == 2


def test_an_old_attempt_cannot_be_repeated_by_others() -> None:
    key = signing.new_secret()

    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(BODY, headers(key, at=time.time() - 600))
