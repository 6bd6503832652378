"""What a key may be used for."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.metering import MeteredAPIView
from accounts.models import ApiKey, Scope
from config.urls import v1_urls
from tests.accounts.conftest import Person
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send


def client_with(account: Account, *scopes: str) -> Client:
    _, secret = ApiKey.objects.issue(account.user, "narrow", scopes=list(scopes))
    return Client(headers={"X-API-Key": secret})


def views() -> Iterator[type[MeteredAPIView]]:
    for pattern in [*get_resolver().url_patterns, *v1_urls]:
        view = getattr(getattr(pattern, "callback", None), "cls", None)
        if isinstance(view, type) and issubclass(view, MeteredAPIView):
            yield view


def test_it_works(alice: Account) -> None:
    client = client_with(alice, "read")

    assert client.get("/api/v1/stats").status_code == 200
    response = send(client)
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
    assert "process" in response.json()["detail"]
    assert "X-RateLimit-Remaining" in response


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("process", "get", "/api/v1/stats"),
        ("process", "get", "/api/v1/batch"),
        ("process", "head", "/api/v1/batch/00000000-0000-0000-0000-000000000000/results.zip"),
        ("process", "get", "/api/v1/webhooks"),
        ("read", "post", "/api/v1/detect"),
        ("read", "post", "/api/v1/batch"),
        ("read", "delete", "/api/v1/batch/00000000-0000-0000-0000-000000000000"),
        ("read", "post", "/upload-image"),
        ("read", "get", "/api/v1/webhooks"),
        ("webhooks", "post", "/inpaint"),
    ],
)
def test_calls_outside_of_its_scope(alice: Account, scope: str, method: str, path: str) -> None:
    assert getattr(client_with(alice, scope), method)(path).status_code == 403
    assert getattr(alice.client, method)(path).status_code != 403


def test_every_view_that_takes_a_key_declares_the_scope_of_each_method() -> None:
    found = list(views())
    assert len(found) > 20
    for view in found:
        for method in {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"HEAD", "OPTIONS"}:
            asked: Any = view()
            asked.request = SimpleNamespace(method=method)
            assert (method in view.scopes) == bool(asked.get_authenticators()), (view, method)
        assert set(view.scopes.values()) <= set(Scope), view


def test_a_page_makes_a_key_with_fewer(carol: Person) -> None:
    assert carol.browser.get("/dashboard/keys/new").context["form"]["scopes"].value() == Scope.values
    assert ApiKey.objects.issue(carol.user, "a program's")[0].scopes == Scope.values
    carol.browser.post("/dashboard/keys/new", {"name": "reader", "scopes": ["read", "webhooks"], "once": "a"})

    key = ApiKey.objects.get(name="reader")
    assert key.scopes == ["read", "webhooks"]
    assert "only: read, webhooks" in carol.browser.get("/dashboard/keys").content.decode()


def test_a_key_without_any_is_refused(carol: Person) -> None:
    page = carol.browser.post("/dashboard/keys/new", {"name": "idle", "once": "a"})

    assert "<details open>" in page.content.decode()
    assert not ApiKey.objects.exists()


def test_a_rotated_key_keeps_them(carol: Person) -> None:
    key, _ = ApiKey.objects.issue(carol.user, "reader", test=True, scopes=["read"])
    carol.browser.post(f"/dashboard/keys/{key.pk}/rotate", {"grace": "0", "once": "a"})

    key = ApiKey.objects.live().get()
    assert (key.scopes, key.is_test) == (["read"], True)
