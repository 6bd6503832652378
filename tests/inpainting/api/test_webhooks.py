"""/api/v1/webhooks: endpoints by API, and what batches and quotas tell them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from accounts.models import Delivery, WebhookEndpoint, WebhookEvent
from accounts.webhooks.deliveries import work_next
from tests.accounts.webhooks.conftest import receiver  # noqa: F401 - a fixture
from tests.accounts.webhooks.test_deliveries import asked
from tests.conftest import Account
from tests.inpainting.api.test_batch import send, work
from tests.web import Web

URL = "/api/v1/webhooks"
JSON = "application/json"
EVERYTHING = ["batch.succeeded", "batch.failed", "batch.cancelled", "item.succeeded", "item.failed", "quota.low"]


def post(client: Client, path: str = "", **body: Any) -> Any:
    return client.post(URL + path, body, content_type=JSON)


def made(account: Account, url: str = "https://alice.example/hook", events: list[str] | None = None) -> dict[str, Any]:
    response = post(account.client, url=url, events=events or EVERYTHING)
    assert response.status_code == 201, response.content
    return dict(response.json())


def told(account: Account) -> list[dict[str, Any]]:
    """Everything that was queued, the oldest first."""
    deliveries = account.client.get(f"{URL}/deliveries").json()["results"]
    return list(reversed(deliveries))


def deliver() -> None:
    while work_next():
        pass


def test_it_works(alice: Account, receiver: Web) -> None:  # noqa: F811
    endpoint = made(alice, receiver.url("/hook"), ["batch.succeeded", "item.succeeded"])
    batch = send(alice.client).json()
    work()
    deliver()

    bodies = [
        Webhook(endpoint["secret"]).verify(body, asked(receiver, nth)) for nth, body in enumerate(receiver.bodies)
    ]
    assert sorted(body["type"] for body in bodies) == ["batch.succeeded", "item.succeeded", "item.succeeded"]
    polled = alice.client.get(batch["links"]["self"]).json()
    [of_batch] = [body for body in bodies if body["type"] == "batch.succeeded"]
    assert local(of_batch["data"]) == local(polled)
    items = [body["data"] for body in bodies if body["type"] == "item.succeeded"]
    assert local(sorted(items, key=lambda item: item["index"])) == local(
        alice.client.get(batch["links"]["items"]).json()["results"]
    )
    assert all(len(body) < 20_000 for body in receiver.bodies)

    deliveries = alice.client.get(f"{URL}/deliveries?endpoint={endpoint['id']}").json()["results"]
    assert {each["status"] for each in deliveries} == {"succeeded"}
    assert {(each["attempts"][0]["status"], each["attempts"][0]["answer"]) for each in deliveries} == {(200, "thanks")}


def local(body: Any) -> str:
    """The test's client knows the service by another name than SITE_URL."""
    return str(body).replace("http://testserver", "http://localhost:8080")


# --- endpoints -------------------------------------------------------------------------------------------------------


def test_an_endpoint_is_made_read_changed_and_deleted(alice: Account, bob: Account) -> None:
    endpoint = made(alice)
    secret, path = endpoint.pop("secret"), f"{URL}/{endpoint['id']}"
    assert secret.startswith("whsec_")
    assert alice.client.get(URL).json() == {"results": [endpoint]}
    assert alice.client.get(path).json() == endpoint

    changed = alice.client.patch(path, {"events": ["item.failed"], "enabled": False}, content_type=JSON).json()
    assert (changed["url"], changed["events"], changed["disabled"]) == (endpoint["url"], ["item.failed"], "owner")
    assert alice.client.patch(path, {"enabled": True}, content_type=JSON).json()["disabled"] == ""

    for call in (bob.client.get, bob.client.delete):
        assert call(path).status_code == 404
    assert post(bob.client, f"/{endpoint['id']}/rotate").status_code == 404
    assert alice.client.delete(path).status_code == 204
    assert alice.client.get(path).json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "http://alice.example", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "ftp://alice.example", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "https://user:password@alice.example", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "https://[alice", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "https://10.0.0.1/hook", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "https://[::1]/hook", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "https://127.1:8080/hook", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "https://alice.example:0/hook", "events": EVERYTHING}, "url_not_allowed"),
        ({"url": "https://alice.example/" + "a" * 2048, "events": EVERYTHING}, "invalid_request"),
        ({"url": "https://alice.example/\0", "events": EVERYTHING}, "invalid_request"),
        ({"url": ["https://alice.example"], "events": EVERYTHING}, "invalid_request"),
        ({"url": "https://alice.example", "events": []}, "invalid_request"),
        ({"url": "https://alice.example", "events": "batch.failed"}, "invalid_request"),
        ({"url": "https://alice.example", "events": [{}]}, "invalid_request"),
        ({"url": "https://alice.example", "events": ["batch.exploded"]}, "invalid_request"),
        ({"url": "https://alice.example"}, "invalid_request"),
        ({"url": "https://alice.example", "events": EVERYTHING, "secret": "mine"}, "unknown_field"),
        ([], "invalid_request"),
    ],
)
def test_what_is_no_endpoint(alice: Account, body: Any, code: str) -> None:
    response = alice.client.post(URL, body, content_type=JSON)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not WebhookEndpoint.objects.exists()


def test_there_is_a_most(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.webhooks.endpoints.MAX_ENDPOINTS", 1)
    made(alice)

    assert post(alice.client, url="https://alice.example", events=EVERYTHING).json()["code"] == "too_many_endpoints"


def test_a_secret_is_rotated(alice: Account, receiver: Web) -> None:  # noqa: F811
    endpoint = made(alice, receiver.url("/hook"))
    rotated = post(alice.client, f"/{endpoint['id']}/rotate").json()
    assert rotated["previous_signs_until"]
    answer = post(alice.client, f"/{endpoint['id']}/test")
    assert (answer.status_code, answer.json()["status"], answer.json()["type"]) == (202, "queued", "webhook.test")
    deliver()

    for secret in (endpoint["secret"], rotated["secret"]):
        body = Webhook(secret).verify(receiver.bodies[0], asked(receiver))
        assert (body["type"], body["data"]) == ("webhook.test", {"endpoint": endpoint["id"]})


# --- what is told ----------------------------------------------------------------------------------------------------


def test_failed_and_cancelled_batches(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    made(alice)
    monkeypatch.setattr("inpainting.service.clean", lambda job, is_test: 1 / 0)
    send(alice.client)
    work()
    assert [each["type"] for each in told(alice)] == ["item.failed", "item.failed", "batch.failed"]
    failed = WebhookEvent.objects.filter(type="item.failed")[0]
    assert '"code": "internal_error"' in failed.body

    batch = send(alice.client).json()
    alice.client.delete(batch["links"]["cancel"])
    alice.client.delete(batch["links"]["cancel"])
    assert [each["type"] for each in told(alice)][3:] == ["batch.cancelled"]


def test_an_event_is_written_with_what_it_tells_or_not_at_all(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    made(alice)
    send(alice.client)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise KeyError("the database goes away before the transaction ends")

    monkeypatch.setattr("accounts.reservations.Reservation.settle", fail)
    work()
    assert {each["type"] for each in told(alice)} == {"item.failed", "batch.failed"}


def test_a_bare_url_is_told_of_the_batch_alone(alice: Account, receiver: Web) -> None:  # noqa: F811
    refused = send(alice.client, webhook_url=receiver.url("/hook"))
    assert (refused.status_code, refused.json()["code"]) == (400, "no_webhook_secret")
    secret = post(alice.client, "/default-secret").json()
    assert secret["previous_signs_until"] is None

    assert send(alice.client, webhook_url=receiver.url("/hook")).status_code == 202
    work()
    deliver()
    [body] = receiver.bodies
    assert Webhook(secret["secret"]).verify(body, asked(receiver))["type"] == "batch.succeeded"
    assert told(alice)[0]["endpoint"] is None


def test_a_webhook_url_inside_is_refused(alice: Account) -> None:
    response = send(alice.client, webhook_url="gopher://10.0.0.1")

    assert (response.status_code, response.json()["code"]) == (400, "url_not_allowed")


def test_a_quota_that_runs_low_is_told_twice_a_period(alice: Account) -> None:
    made(alice, events=["quota.low"])
    alice.limit(quota=5)
    send(alice.client)
    assert not told(alice)
    send(alice.client)
    assert len(told(alice)) == 1
    send(alice.client, images=alice_picture())
    send(alice.client)

    bodies = list(WebhookEvent.objects.order_by("created_at").values_list("body", flat=True))
    assert len(bodies) == 2
    assert '"percent": 80' in bodies[0]
    assert '"percent": 100' in bodies[1]
    quota = alice.client.get("/api/v1/stats").json()["quota"]
    assert str(quota["resets_at"]) in bodies[1]
    assert '"remaining": 0' in bodies[1]


def alice_picture() -> Any:
    from tests import pictures

    return [pictures.file(pictures.photo(), name="c")]


# --- the log, and once more ------------------------------------------------------------------------------------------


def test_one_is_replayed(alice: Account, bob: Account, receiver: Web) -> None:  # noqa: F811
    endpoint = made(alice, receiver.url("/hook"))
    post(alice.client, f"/{endpoint['id']}/test")
    deliver()
    [delivery] = told(alice)
    path = f"/deliveries/{delivery['id']}/replay"

    assert post(bob.client, path).status_code == 404
    assert (replayed := post(alice.client, path)).status_code == 202
    assert replayed.json()["status"] == "queued"
    deliver()
    [delivery] = told(alice)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [200, 200]


def test_nothing_is_sent_to_one_that_is_disabled(alice: Account, receiver: Web) -> None:  # noqa: F811
    endpoint = made(alice, receiver.url("/hook"))
    post(alice.client, f"/{endpoint['id']}/test")
    deliver()
    [delivery] = told(alice)
    alice.client.patch(f"/api/v1/webhooks/{endpoint['id']}", {"enabled": False}, content_type=JSON)

    since = (timezone.now() - timedelta(days=1)).isoformat()
    for path in (f"/deliveries/{delivery['id']}/replay", f"/{endpoint['id']}/replay", f"/{endpoint['id']}/test"):
        answer = post(alice.client, path, **({"since": since} if path.endswith("/replay") else {}))
        assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_disabled"), path
        assert "Enable it first" in answer.json()["detail"]
    assert told(alice) == [delivery]


def test_all_since_a_moment(alice: Account) -> None:
    endpoint = made(alice)
    send(alice.client)
    work()
    path = f"/{endpoint['id']}/replay"
    Delivery.objects.update(state="failed")

    assert post(alice.client, path, since="yesterday").json()["code"] == "invalid_request"
    assert post(alice.client, path, since=timezone.now().isoformat()).json() == {"queued": 0}
    assert post(alice.client, path, since=(timezone.now() - timedelta(days=1)).isoformat()).json() == {"queued": 3}
    assert {each["status"] for each in told(alice)} == {"queued"}


def test_an_account_goes_with_its_webhooks(alice: Account) -> None:
    made(alice)
    send(alice.client)
    alice.user.delete()

    assert not WebhookEndpoint.objects.exists() | WebhookEvent.objects.exists() | Delivery.objects.exists()
