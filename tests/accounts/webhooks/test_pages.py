"""/dashboard/webhooks: endpoints, their secrets and their log in the browser."""

import datetime as dt
import re
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from accounts.models import DefaultSigner, Delivery, WebhookEndpoint, WebhookEvent
from accounts.views.webhooks import LogPages
from accounts.webhooks import endpoints, events
from accounts.webhooks.deliveries import work_next
from tests.accounts.conftest import PAGE, Person
from tests.accounts.webhooks.test_deliveries import asked
from tests.conftest import Account
from tests.web import Web

URL = "/dashboard/webhooks"
HOOK = "https://carol.example/hook"


def secret_in(page: bytes) -> str:
    [secret] = re.findall(r"whsec_[0-9A-Za-z+/=]+", page.decode())
    return str(secret)


def added(person: Person, url: str = HOOK) -> tuple[WebhookEndpoint, str]:
    return endpoints.create(person.user, url, ["batch.failed", "quota.low"])


def text(person: Person, path: str = "") -> str:
    response = person.browser.get(URL + path)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def post(person: Person, path: str, **data: Any) -> str:
    """What the page says that the form leads to."""
    response = person.browser.post(URL + path, data, follow=True)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def tell(person: Person, number: int = 1) -> None:
    for nth in range(number):
        events.tell(person.user.pk, "quota.low", {"number": nth})


def test_it_works(carol: Person, receiver: Web) -> None:
    assert "No endpoints" in text(carol)
    form = {"url": receiver.url("/hook"), "events": ["quota.low", "batch.failed"], "once": "a"}
    response = carol.browser.post(f"{URL}/new", form)
    secret = secret_in(response.content)
    assert "no-store" in response["Cache-Control"]
    endpoint = WebhookEndpoint.objects.get(owner=carol.user)
    assert (endpoint.url, endpoint.events) == (receiver.url("/hook"), ["batch.failed", "quota.low"])
    for path in ("", f"/{endpoint.pk}", f"/{endpoint.pk}/edit", f"/{endpoint.pk}/rotate"):
        assert "whsec_" not in text(carol, path)

    assert "A test is on its way" in post(carol, f"/{endpoint.pk}/test", once="b")
    assert "Waiting" in text(carol, f"/{endpoint.pk}")
    assert work_next()
    assert Webhook(secret).verify(receiver.bodies[0], asked(receiver))["type"] == "webhook.test"
    page = text(carol, f"/{endpoint.pk}")
    assert "A test Delivered" in page
    assert "200 OK" in page
    assert "thanks" in page
    assert "A batch has failed as a whole · 80 or 100 percent of the quota are used" in text(carol)
    assert re.search(r"Last delivery .*: 200 OK", text(carol))


def test_a_new_one_is_told_what_most_wait_for(carol: Person) -> None:
    page = carol.browser.get(f"{URL}/new").content.decode()

    assert re.findall(r'value="([a-z.]+)"[^>]* checked', page) == ["batch.succeeded", "batch.failed"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"url": "http://carol.example"}, "The address must be https."),
        ({"url": "https://10.0.0.1/hook"}, "Only addresses on the public internet are allowed."),
        ({"url": "https://[::1]/hook"}, "Only addresses on the public internet are allowed."),
        ({"url": "https://me:password@carol.example"}, "with a user name or password"),
        ({"url": "javascript:alert(1)"}, "Only http and https addresses are allowed."),
        ({"url": "https://carol.example/" + "a" * 10_000}, "at most 2048 characters"),
        ({"url": "https://carol.example/\0"}, "Null characters are not allowed."),
        ({"url": ""}, "This field is required."),
        ({"events": []}, "Choose at least one."),
        ({"events": ["webhook.test"]}, "is not one of the available choices"),
    ],
)
def test_what_is_no_endpoint(carol: Person, form: dict[str, Any], error: str) -> None:
    page = post(carol, "/new", **{"url": HOOK, "events": ["quota.low"], "once": "a", **form})

    assert error in page
    assert not WebhookEndpoint.objects.exists()


def test_a_form_that_is_sent_twice_adds_one(carol: Person) -> None:
    form = {"url": HOOK, "events": ["quota.low"], "once": "a"}

    assert "whsec_" in post(carol, "/new", **form)
    assert "sent twice" in post(carol, "/new", **form)
    assert WebhookEndpoint.objects.count() == 1


def test_there_is_a_most(carol: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.webhooks.endpoints.MAX_ENDPOINTS", 1)
    added(carol)

    assert "Delete one that you no longer need" in post(carol, "/new", url=HOOK, events=["quota.low"], once="a")
    assert WebhookEndpoint.objects.count() == 1


def test_an_endpoint_is_edited(carol: Person) -> None:
    endpoint, _ = added(carol)
    tell(carol)

    page = post(carol, f"/{endpoint.pk}/edit", url=f"{HOOK}/2", events=["item.failed"])
    assert "The endpoint is changed." in page
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.events) == (f"{HOOK}/2", ["item.failed"])
    assert Delivery.objects.get().url == f"{HOOK}/2"
    assert "must be https" in post(carol, f"/{endpoint.pk}/edit", url="http://carol.example", events=["item.failed"])


def test_both_secrets_sign_for_a_day(carol: Person) -> None:
    endpoint, before = added(carol)
    secret = secret_in(carol.browser.post(f"{URL}/{endpoint.pk}/rotate", {"once": "a"}).content)
    endpoint.refresh_from_db()
    assert endpoint.secrets() == [secret, before]
    assert "the one before it signs, too, until" in text(carol, f"/{endpoint.pk}")
    assert "it stops signing at once" in text(carol, f"/{endpoint.pk}/rotate")

    assert "sent twice" in post(carol, f"/{endpoint.pk}/rotate", once="a")
    WebhookEndpoint.objects.update(rotated_at=timezone.now() - timedelta(hours=25))
    endpoint.refresh_from_db()
    assert endpoint.secrets() == [secret]
    assert "the one before it" not in text(carol, f"/{endpoint.pk}")


def test_a_disabled_endpoint_is_sent_nothing_until_it_is_enabled(carol: Person) -> None:
    endpoint, _ = added(carol)
    post(carol, f"/{endpoint.pk}/disable")
    assert "Disabled by you" in text(carol)
    for path, form in (("test", {"once": "a"}), ("replay", {"since": timezone.now().isoformat()})):
        assert "Enable it first" in post(carol, f"/{endpoint.pk}/{path}", **form)
    assert not Delivery.objects.exists()
    event = WebhookEvent.objects.create(owner=carol.user, type="batch.failed", body="{}")
    missed = Delivery.objects.create(owner=carol.user, event=event, endpoint=endpoint, url=endpoint.url, state="failed")
    assert "Enable it first" in post(carol, f"/deliveries/{missed.pk}/replay")
    assert Delivery.objects.get().state == "failed"

    post(carol, f"/{endpoint.pk}/enable")
    assert "Enabled" in text(carol, f"/{endpoint.pk}")


def test_an_endpoint_is_deleted_after_a_question(carol: Person) -> None:
    endpoint, _ = added(carol)
    assert "cannot be undone" in text(carol, f"/{endpoint.pk}/delete")
    assert WebhookEndpoint.objects.exists()

    assert "are deleted" in post(carol, f"/{endpoint.pk}/delete")
    assert not WebhookEndpoint.objects.exists()


def test_a_test_is_sent_once(carol: Person) -> None:
    endpoint, _ = added(carol)
    for _ in range(2):
        post(carol, f"/{endpoint.pk}/test", once="a")

    assert Delivery.objects.count() == 1


def test_the_log_says_what_failed_and_when_it_is_tried_again(carol: Person, receiver: Web) -> None:
    receiver.put("/hook", b"<b>out of order</b>", "503 Service Unavailable")
    endpoint, _ = added(carol, receiver.url("/hook"))
    tell(carol)
    assert work_next()

    page = carol.browser.get(f"{URL}/{endpoint.pk}").content.decode()
    assert "503 Service Unavailable" in page
    assert "&lt;b&gt;out of order&lt;/b&gt;" in page
    assert "Next try" in page
    assert "Failing since" in text(carol)


def test_pages_of_the_log(carol: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogPages, "page_size", 2)
    endpoint, _ = added(carol)
    tell(carol, 3)
    first = carol.browser.get(f"{URL}/{endpoint.pk}")
    second = carol.browser.get(first.context["older"])

    shown = [each.pk for page in (first, second) for each in page.context["page"]]
    assert sorted(shown) == sorted(Delivery.objects.values_list("pk", flat=True))
    assert (first.context["newer"], second.context["older"]) == (None, None)
    assert carol.browser.get(f"{URL}/{endpoint.pk}?cursor=nonsense").status_code == 404
    assert carol.browser.get(f"{URL}/{endpoint.pk}?cursor={b64encode(b'p=no moment').decode()}").status_code == 404


def test_one_is_replayed(carol: Person) -> None:
    added(carol)
    tell(carol)
    delivery = Delivery.objects.get()
    path = f"/deliveries/{delivery.pk}/replay"
    Delivery.objects.update(state="failed")

    assert "The event is sent again." in post(carol, path)
    delivery.refresh_from_db()
    assert delivery.state == "queued"


@pytest.mark.parametrize("zone", [None, dt.timezone(timedelta(hours=23, minutes=59))])  # PostgreSQL has fewer than 16
def test_all_since_a_moment(carol: Person, zone: dt.tzinfo | None) -> None:
    endpoint, _ = added(carol)
    tell(carol, 3)
    Delivery.objects.update(state="succeeded")
    WebhookEvent.objects.filter(pk=WebhookEvent.objects.all()[:1].get().pk).update(
        created_at=timezone.now() - timedelta(days=3)
    )

    moment = timezone.now() - timedelta(days=1)
    since = moment.astimezone(zone).isoformat() if zone else moment.strftime("%Y-%m-%dT%H:%M")
    assert "2 events are sent again." in post(carol, f"/{endpoint.pk}/replay", since=since)
    assert Delivery.objects.filter(state="queued").count() == 2


@pytest.mark.parametrize("since", ["", "yesterday", "0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59", "2000-01-01"])
def test_what_is_no_moment(carol: Person, since: str) -> None:
    endpoint, _ = added(carol)

    assert "Nothing is replayed." in post(carol, f"/{endpoint.pk}/replay", since=since)


def test_the_default_secret(carol: Person, receiver: Web) -> None:
    assert "You have none yet" in text(carol, "/default")
    secret = secret_in(carol.browser.post(f"{URL}/default/rotate", {"once": "a"}).content)
    assert DefaultSigner.objects.get(owner=carol.user).secrets() == [secret]
    events.tell(carol.user.pk, "batch.failed", {}, receiver.url("/hook"))
    assert work_next()

    page = text(carol, "/default")
    assert receiver.url("/hook") in page
    assert "200 OK" in page
    assert "whsec_" not in page
    assert "sent again" in post(carol, f"/deliveries/{Delivery.objects.get().pk}/replay")


def test_others_have_no_such_endpoint(carol: Person, bob: Account) -> None:
    endpoint, _ = added(carol)
    tell(carol)
    before = list(WebhookEndpoint.objects.values())
    stranger = Client(headers=PAGE)
    stranger.force_login(bob.user)

    for path in ("", "/edit", "/rotate", "/delete"):
        assert stranger.get(f"{URL}/{endpoint.pk}{path}").status_code == 404
    form = {"once": "a", "url": HOOK, "events": ["quota.low"], "since": timezone.now().isoformat()}
    for path in ("edit", "rotate", "delete", "test", "replay", "enable", "disable"):
        assert stranger.post(f"{URL}/{endpoint.pk}/{path}", form).status_code == 404
    assert stranger.post(f"{URL}/deliveries/{Delivery.objects.get().pk}/replay").status_code == 404
    assert HOOK not in stranger.get(URL).content.decode()
    assert list(WebhookEndpoint.objects.values()) == before


def test_who_is_not_signed_in_is_led_to_the_sign_in_page(public: Client) -> None:
    for path in ("", "/new", "/default"):
        assert public.get(URL + path)["Location"].startswith("/login")
