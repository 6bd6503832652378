"""Webhook endpoints by both of Python's clients, on a real service that delivers to a server of the test's own."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from iopaint import AsyncIOPaintClient, InvalidRequest, IOPaintClient, NotFound, webhooks
from iopaint.answers import Delivery

from tests import pictures
from tests.web import Web, serving

pytestmark = pytest.mark.slow

T = TypeVar("T")
PICTURE = pictures.file(pictures.photo(), "JPEG").getvalue()


@pytest.fixture
def receiver() -> Iterator[Web]:
    with serving() as web:
        web.put("/hook", b"thanks")
        web.put("/broken", b"out of order", "503 Service Unavailable")
        yield web


@pytest.fixture
def client(environment: dict[str, str]) -> Iterator[IOPaintClient]:
    with IOPaintClient(environment["IOPAINT_API_KEY"], base_url=environment["IOPAINT_BASE_URL"]) as client:
        yield client


def wait(found: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value


def attempted(client: IOPaintClient, id: str) -> Delivery:
    """The delivery after its first attempt. A list may be read while an attempt is written: its row still runs then."""

    def found() -> Delivery | None:
        [delivery] = [each for each in client.deliveries() if each.id == id]
        return delivery if delivery.attempts and delivery.status != "running" else None

    return wait(found)


def test_it_works(client: IOPaintClient, receiver: Web) -> None:
    made = client.create_webhook(receiver.url("/hook"), ["batch.succeeded", "quota.low"])

    assert (made.url, made.events, made.disabled) == (receiver.url("/hook"), ["batch.succeeded", "quota.low"], "")
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    assert client.webhook(made.id) == client.webhooks()[0]
    sent = attempted(client, client.test_webhook(made.id).id)
    assert (sent.type, sent.endpoint, sent.status) == ("webhook.test", made.id, "succeeded")
    [attempt] = sent.attempts
    assert (attempt.status, attempt.answer, attempt.error) == (200, "thanks", "")
    headers = dict(line.split(": ", 1) for line in receiver.heads[0].splitlines()[1:] if line)
    event = webhooks.verify(made.secret, headers, receiver.bodies[0])
    assert (event.id, event.type, event.data) == (sent.message_id, "webhook.test", {"endpoint": made.id})

    client.delete_webhook(made.id)
    with pytest.raises(NotFound):
        client.webhook(made.id)


def test_it_is_told_again(client: IOPaintClient, receiver: Web) -> None:
    """One by one, or all since a moment, also what was missed while nothing was sent."""
    id = client.create_webhook(receiver.url("/broken"), ["batch.failed"]).id
    failed = attempted(client, client.test_webhook(id).id)
    assert (failed.status, failed.attempts[0].status) == ("queued", 503)
    changed = client.update_webhook(id, url=receiver.url("/hook"), events=["batch.succeeded"], enabled=False)
    assert (changed.url, changed.events, changed.disabled) == (receiver.url("/hook"), ["batch.succeeded"], "owner")
    with pytest.raises(InvalidRequest, match="disabled") as refused:
        client.test_webhook(id)
    assert refused.value.code == "endpoint_disabled"
    batch = client.create_batch([PICTURE], rectangles=[(0, 0, 4, 4)])
    list(client.follow_batch(batch.id))

    assert client.update_webhook(id, enabled=True).disabled == ""
    assert client.replay_webhook(id, datetime.now(UTC) - timedelta(hours=1)) >= 1
    wait(
        lambda: [each for each in client.deliveries(id) if (each.type, each.status) == ("batch.succeeded", "succeeded")]
    )
    again = client.replay_delivery(failed.id)
    assert again.message_id == failed.message_id
    with pytest.raises(ValueError, match="time zone"):
        client.replay_webhook(id, datetime.now())
    client.delete_webhook(id)


def test_secrets_are_rotated(client: IOPaintClient, receiver: Web) -> None:
    made = client.create_webhook(receiver.url("/hook"), ["item.failed"])

    new = client.rotate_webhook_secret(made.id)

    assert new.secret != made.secret
    assert new.previous_signs_until
    assert new.previous_signs_until > datetime.now(UTC) + timedelta(hours=23)
    attempted(client, client.test_webhook(made.id).id)
    headers = dict(line.split(": ", 1) for line in receiver.heads[-1].splitlines()[1:] if line)
    for secret in (made.secret, new.secret):
        assert webhooks.verify(secret, headers, receiver.bodies[-1]).type == "webhook.test"
    assert client.rotate_default_secret().secret.startswith("whsec_")
    client.delete_webhook(made.id)


def test_the_client_that_awaits(environment: dict[str, str], receiver: Web) -> None:
    async def work() -> None:
        key, url = environment["IOPAINT_API_KEY"], environment["IOPAINT_BASE_URL"]
        async with AsyncIOPaintClient(key, base_url=url) as client:
            made = await client.create_webhook(receiver.url("/hook"), ["batch.cancelled"])
            sent = await client.test_webhook(made.id)
            while not (await client.deliveries(made.id))[0].attempts:
                await asyncio.sleep(0.1)
            assert [each.id for each in await client.deliveries(made.id)] == [sent.id]
            assert made.id in [each.id for each in await client.webhooks()]
            await client.delete_webhook(made.id)

    asyncio.run(work())


def test_one_type_is_no_list(client: IOPaintClient) -> None:
    with pytest.raises(TypeError, match="list"):
        client.create_webhook("https://example.com/hook", "batch.failed")  # type: ignore[arg-type]
