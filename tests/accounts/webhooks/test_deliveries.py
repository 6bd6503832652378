"""Deliveries: tried by a schedule, one at a time for each address, until an answer decides."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django import Settings
from standardwebhooks import Webhook

from accounts.models import DefaultSigner, Delivery, Try, WebhookEndpoint
from accounts.webhooks import deliveries, events
from accounts.webhooks.deliveries import SCHEDULE, State, claim, work_next
from tests.conftest import Account
from tests.web import Web


def listening(account: Account, url: str, *types: str) -> tuple[WebhookEndpoint, str]:
    endpoint = WebhookEndpoint(owner=account.user, url=url, events=types or ["quota.low"])
    secret = endpoint.rotate()
    endpoint.save(force_insert=True)
    return endpoint, secret


def tell(account: Account, number: int = 1) -> None:
    events.tell(account.user.pk, "quota.low", {"number": number})


def asked(receiver: Web, nth: int = -1) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in receiver.heads[nth].splitlines()[1:] if ": " in line)


def due(delivery: Delivery) -> float:
    """Seconds until the next try."""
    delivery.refresh_from_db()
    return (delivery.available_at - timezone.now()).total_seconds()


def make_due() -> None:
    Delivery.objects.filter(state=State.QUEUED).update(available_at=timezone.now())


def test_it_works(alice: Account, receiver: Web) -> None:
    _, secret = listening(alice, receiver.url("/hook"))
    tell(alice)

    assert work_next()
    assert not work_next()
    body = Webhook(secret).verify(receiver.bodies[0], asked(receiver))
    assert (body["type"], body["data"]) == ("quota.low", {"number": 1})
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.log.get().status, delivery.log.get().answer) == (State.SUCCEEDED, 200, "thanks")
    assert asked(receiver)["webhook-id"] == delivery.event.message_id


def test_who_does_not_want_it_is_not_told(alice: Account, bob: Account, receiver: Web) -> None:
    listening(alice, receiver.url("/hook"), "batch.failed")
    listening(bob, receiver.url("/hook"))
    tell(alice)

    assert not Delivery.objects.exists()
    assert not work_next()


def test_the_schedule_to_its_end(alice: Account, receiver: Web) -> None:
    receiver.put("/hook", b"x" * 5000, "500 Internal Server Error")
    listening(alice, receiver.url("/hook"))
    tell(alice)
    delivery = Delivery.objects.get()

    for wait in SCHEDULE[1:]:
        assert work_next()
        assert wait - 1 < due(delivery) <= 1.1 * wait
        assert not work_next()  # not before
        make_due()
    assert work_next()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.log.count()) == (State.FAILED, 10, 10)
    assert {len(each.answer) for each in delivery.log.all()} == {deliveries.KEPT_ANSWER}
    assert len({asked(receiver, nth)["webhook-id"] for nth in range(10)}) == 1


@pytest.mark.parametrize("status", ["301 Moved Permanently", "400 Bad Request", "503 Service Unavailable"])
def test_only_2xx_is_success(alice: Account, receiver: Web, status: str) -> None:
    receiver.put("/hook", b"", status, Location=receiver.url("/elsewhere"))
    listening(alice, receiver.url("/hook"))
    tell(alice)
    work_next()

    assert Delivery.objects.get().state == State.QUEUED
    assert len(receiver.heads) == 1  # a redirect is not followed


def test_retry_after_counts(alice: Account, receiver: Web) -> None:
    receiver.put("/hook", b"", "429 Too Many Requests", Retry_After="600")
    listening(alice, receiver.url("/hook"))
    tell(alice)
    work_next()

    assert 590 < due(Delivery.objects.get()) <= 600


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("", 0), ("soon", 0), ("-5", 0), ("9" * 400, 86400), ("²", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_what_retry_after_may_say(header: str, seconds: float) -> None:
    assert deliveries.retry_after(header) == seconds


def test_gone_disables(alice: Account, receiver: Web, mailoutbox: list[EmailMessage]) -> None:
    receiver.put("/hook", b"", "410 Gone")
    endpoint, _ = listening(alice, receiver.url("/hook"))
    tell(alice)
    tell(alice)
    work_next()
    endpoint.refresh_from_db()
    tell(alice)

    assert endpoint.disabled == "gone"
    assert [each.state for each in Delivery.objects.all()] == [State.FAILED] * 2
    assert Try.objects.count() == 1
    assert not work_next()


def test_five_days_of_failure_disable_and_mail(
    alice: Account, receiver: Web, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    receiver.put("/hook", b"", "500 Internal Server Error")
    endpoint, _ = listening(alice, receiver.url("/hook"))
    tell(alice)
    work_next()
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=5, minutes=1))
    make_due()
    with django_capture_on_commit_callbacks(execute=True):
        work_next()

    endpoint.refresh_from_db()
    assert endpoint.disabled == "failing"
    assert Delivery.objects.get().state == State.FAILED
    assert (mailoutbox[0].to, endpoint.url in mailoutbox[0].body) == ([alice.user.email], True)


def test_a_success_ends_the_days_of_failure(alice: Account, receiver: Web) -> None:
    endpoint, _ = listening(alice, receiver.url("/hook"))
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=9))
    tell(alice)
    work_next()

    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.disabled) == (None, "")


def test_an_inside_address_is_not_called(alice: Account, receiver: Web, settings: Settings) -> None:
    settings.FETCH_ALLOWED_NETWORKS = []
    listening(alice, receiver.url("/hook"))
    tell(alice)
    work_next()

    assert not receiver.heads
    assert "public internet" in Try.objects.get().error


def test_a_dead_senders_delivery_goes_to_another(alice: Account, receiver: Web) -> None:
    listening(alice, receiver.url("/hook"))
    tell(alice)
    dead = claim()
    assert dead is not None
    assert claim() is None
    Delivery.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    living = claim()
    assert living is not None
    assert living.attempt == 2

    deliveries._work(dead)  # it comes to itself again
    assert Delivery.objects.get().state == State.RUNNING
    assert not Try.objects.exists()
    deliveries._work(living)
    assert Delivery.objects.get().state == State.SUCCEEDED


def test_one_at_a_time_for_an_address_and_two_for_an_account(alice: Account, bob: Account) -> None:
    for path in "abc":
        listening(alice, f"https://alice.example/{path}")
    listening(bob, "https://bob.example")
    tell(alice)
    tell(alice)
    tell(bob)

    claimed = [claim() for _ in range(3)]
    assert len({each.url for each in claimed if each}) == 3
    assert sorted(each.owner_id for each in claimed if each) == sorted([alice.user.pk] * 2 + [bob.user.pk])
    assert claim() is None


def test_who_hangs_does_not_keep_others_waiting(alice: Account, bob: Account) -> None:
    """Claimed by whoever is idle: older deliveries of an account that is being told, or whose endpoint fails, wait."""
    for number in range(2):
        listening(alice, f"https://hangs.example.org/{number}")
    tell(alice, 1)
    tell(alice, 2)
    first = claim()
    assert first is not None
    assert first.owner == alice.user
    listening(bob, "https://bob.example.org/")
    tell(bob)
    second = claim()
    assert second is not None
    assert second.owner == bob.user

    Delivery.objects.update(state=State.SUCCEEDED)
    WebhookEndpoint.objects.filter(owner=alice.user).update(failing_since=timezone.now())
    tell(alice, 3)
    tell(bob, 4)
    owners = [delivery.owner for delivery in iter(claim, None) if delivery]
    assert owners == [bob.user, alice.user, alice.user]


def test_secrets_are_encrypted_and_survive_a_new_key(alice: Account, receiver: Web, settings: Settings) -> None:
    endpoint, secret = listening(alice, receiver.url("/hook"))
    assert secret not in endpoint.encrypted
    assert endpoint.secrets() == [secret]
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    tell(alice)
    work_next()
    assert "secret cannot be read" in Try.objects.get().error

    settings.SECRET_KEY_FALLBACKS = [old]
    assert endpoint.secrets() == [secret]


def test_the_old_secret_signs_for_a_day(alice: Account) -> None:
    endpoint, old = listening(alice, "https://alice.example")
    new = endpoint.rotate()
    assert endpoint.secrets() == [new, old]
    endpoint.rotated_at = timezone.now() - timedelta(hours=25)
    assert endpoint.secrets() == [new]


def test_a_bare_url_is_signed_with_the_default_secret(alice: Account, receiver: Web) -> None:
    signer = DefaultSigner(owner=alice.user)
    secret = signer.rotate()
    signer.save()
    events.tell(alice.user.pk, "batch.failed", {}, receiver.url("/hook"))
    work_next()

    Webhook(secret).verify(receiver.bodies[0], asked(receiver))


def test_replay_since(alice: Account, receiver: Web) -> None:
    endpoint, _ = listening(alice, receiver.url("/hook"))
    start = timezone.now()
    tell(alice, 1)
    work_next()
    WebhookEndpoint.objects.update(disabled="owner")
    tell(alice, 2)
    assert Delivery.objects.count() == 1
    WebhookEndpoint.objects.update(disabled="")

    assert events.replay_since(endpoint, timezone.now()) == 0
    assert events.replay_since(endpoint, start) == 2
    while work_next():
        pass
    ids = [asked(receiver, nth)["webhook-id"] for nth in range(3)]
    assert len(receiver.heads) == 3
    assert (ids.count(ids[0]), len(set(ids))) == (2, 2)


def test_old_events_go(alice: Account) -> None:
    listening(alice, "https://alice.example")
    tell(alice)
    Delivery.objects.get().event.__class__.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert events.delete_old() == 0  # still on its way
    Delivery.objects.update(state=State.SUCCEEDED)
    assert events.delete_old() == 1
    assert not Delivery.objects.exists()


def test_who_is_idle_takes_no_lock(db: None) -> None:
    from django.db import connection

    with CaptureQueriesContext(connection) as queries:
        assert not work_next()
    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)


def counted() -> dict[str, float]:
    """Tries, by outcome, of this process so far."""
    name = "object_remover_webhook_deliveries_total"
    outcomes = ("succeeded", "failed", "given_up", "gone")
    return {each: REGISTRY.get_sample_value(name, {"outcome": each}) or 0.0 for each in outcomes}


def test_tries_are_counted_by_outcome(alice: Account, receiver: Web, django_capture_on_commit_callbacks: Any) -> None:
    listening(alice, receiver.url("/hook"))
    before = counted()
    with django_capture_on_commit_callbacks(execute=True):
        for status, tries in (("200 OK", 0), ("500 Oh", 0), ("500 Oh", len(SCHEDULE) - 1), ("410 Gone", 0)):
            receiver.put("/hook", b"", status)
            tell(alice)
            Delivery.objects.filter(state=State.QUEUED, available_at__lte=timezone.now()).update(tries=tries)
            work_next()

    assert counted() == {outcome: count + 1 for outcome, count in before.items()}
