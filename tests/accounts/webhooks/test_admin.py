"""Staff look at webhooks and disable endpoints; no secret and no message is shown."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import Delivery, User, WebhookEndpoint
from accounts.webhooks import endpoints
from accounts.webhooks.deliveries import work_next
from tests.accounts.webhooks.test_deliveries import tell
from tests.conftest import Account
from tests.web import Web

LIST, DELIVERIES = "/admin/accounts/webhookendpoint/", "/admin/accounts/delivery/"


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.org"))
    return client


def test_it_works(admin: Client, alice: Account, bob: Account, receiver: Web) -> None:
    endpoint, secret = endpoints.create(alice.user, receiver.url("/hook"), ["quota.low"])
    other, _ = endpoints.create(bob.user, "https://bob.example/hook", ["quota.low"])
    tell(alice)
    assert work_next()
    [delivery] = Delivery.objects.all()

    for query, found in (("alice@example.org", endpoint), ("bob.example", other)):
        assert list(admin.get(LIST, {"q": query}).context["cl"].queryset) == [found]
    assert "200 OK" in admin.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()
    for path in (LIST, f"{LIST}{endpoint.pk}/change/", DELIVERIES, f"{DELIVERIES}{delivery.pk}/change/"):
        page = admin.get(path).content.decode()
        assert endpoint.url in page
        for hidden in (secret, endpoint.encrypted, delivery.event.body):
            assert hidden not in page


def test_staff_disable_an_endpoint(admin: Client, alice: Account, bob: Account) -> None:
    endpoint, _ = endpoints.create(alice.user, "https://alice.example", ["quota.low"])
    endpoints.create(bob.user, "https://bob.example", ["quota.low"])
    admin.post(LIST, {"action": "disable", "_selected_action": [str(endpoint.pk)]})

    assert WebhookEndpoint.objects.get(owner=alice.user).disabled == "staff"
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Disabled."]
    for state, owner in (("disabled", alice), ("enabled", bob)):
        assert admin.get(LIST, {"state": state}).context["cl"].queryset.get().owner == owner.user
    assert endpoints.change(alice.user, endpoint.pk, enabled=True).disabled == ""
