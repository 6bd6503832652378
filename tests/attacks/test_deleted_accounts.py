"""Accounts that are deleted while their request runs: whatever it was about, it is no 500, and nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.test import Client
from rest_framework.request import Request

from accounts.adapters import AccountAdapter
from accounts.deletion import delete_account
from accounts.metering import MeteredAPIView
from accounts.models import ApiKey, PlanRequest, Usage, User, WebhookEndpoint
from accounts.webhooks import endpoints
from config import middleware
from inpainting import storage
from inpainting.models import Batch, Result, SavedMark, Upload
from tests import pictures
from tests.accounts import conftest
from tests.accounts.conftest import PAGE, PASSWORD, Clock, Person, code_in
from tests.accounts.test_two_factor import ACTIVATE
from tests.conftest import Account

pytestmark = pytest.mark.django_db(
    transaction=True, serialized_rollback=True
)  # foreign keys are checked at a transaction's end

WEBHOOK = {"url": "https://1.1.1.1/hook", "events": ["batch.completed"]}
CALLS: dict[str, tuple[str, str, list[str], Any]] = {
    "remove a watermark": ("post", "/api/v1/remove-watermark", ["image", "mask"], None),
    "detect": ("post", "/api/v1/detect", ["image"], None),
    "send a batch": ("post", "/api/v1/batch", ["images", "mask"], None),
    "list batches": ("get", "/api/v1/batch", [], None),
    "save a mark": ("post", "/api/v1/marks", ["image"], {"name": "Corner", "kind": "mask"}),
    "list marks": ("get", "/api/v1/marks", [], None),
    "statistics": ("get", "/api/v1/stats", [], None),
    "models": ("get", "/api/v1/models", [], None),
    "add a webhook": ("post", "/api/v1/webhooks", [], json.dumps(WEBHOOK)),
    "make a webhook secret": ("post", "/api/v1/webhooks/default-secret", [], "{}"),
    "upload a picture": ("post", "/upload-image", ["image"], None),
    "inpaint": ("post", "/inpaint-multipart", ["image", "mask"], None),
    "a malformed call": ("post", "/api/v1/detect", [], {"image": "no file"}),
}


@pytest.fixture
def deleting(alice: Account, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Of an account that is deleted just after its key has been found good."""
    initial = MeteredAPIView.initial

    def delete_meanwhile(view: MeteredAPIView, request: Request, *args: Any, **kwargs: Any) -> None:
        initial(view, request, *args, **kwargs)
        delete_account(type(alice.user).objects.get(pk=alice.user.pk))

    monkeypatch.setattr(MeteredAPIView, "initial", delete_meanwhile)
    alice.client.raise_request_exception = False
    return alice.client


@pytest.mark.parametrize(("method", "path", "files", "body"), CALLS.values(), ids=list(CALLS))
def test_meanwhile(deleting: Client, method: str, path: str, files: list[str], body: Any) -> None:
    mask = pictures.box_mask()
    sent = {name: mask if name == "mask" or path.endswith("/marks") else pictures.photo() for name in files}
    fields = {name: SimpleUploadedFile(f"{name}.png", pictures.file(sent[name]).getvalue()) for name in files}
    if isinstance(body, str):
        response = deleting.post(path, body, content_type="application/json")
    else:
        response = getattr(deleting, method)(path, {**fields, **(body or {})})

    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response.json()["code"] in {"invalid_api_key", "not_found", "invalid_request"}
    for model in (Upload, Result, SavedMark):
        assert not storage.names(model)
        assert not model.objects.exists()
    assert not Batch.objects.exists()
    assert not Usage.objects.filter(state=Usage.State.RESERVED).exists()


# --- pages -----------------------------------------------------------------------------------------------------------

clock = conftest.clock
NEW = "another password of the tests"
PAGES: dict[str, tuple[str, dict[str, Any] | None]] = {
    "ask for a plan": ("/billing/choose", {"plan": "pro"}),
    "buy a pack": ("/billing/buy", {"pack": "1"}),
    "withdraw a request": ("/billing/undo", {}),
    "be mailed no more": ("/billing/quota-mails", {}),
    "make a key": ("/dashboard/keys/new", {"name": "a", "scopes": ["read"], "kind": "live", "once": "1"}),
    "edit a key": ("/dashboard/keys/{key}/edit", {"name": "b", "scopes": ["read"], "expires": "as it is"}),
    "rotate a key": ("/dashboard/keys/{key}/rotate", {"grace": "24", "once": "2"}),
    "revoke a key": ("/dashboard/keys/{key}/revoke", {}),
    "choose lifetimes": ("/dashboard/lifetimes", {"result": "3600"}),
    "add a webhook": ("/dashboard/webhooks/new", {**WEBHOOK, "once": "3"}),
    "edit a webhook": ("/dashboard/webhooks/{endpoint}/edit", WEBHOOK),
    "rotate a webhook's secret": ("/dashboard/webhooks/{endpoint}/rotate", {"once": "4"}),
    "disable a webhook": ("/dashboard/webhooks/{endpoint}/disable", {}),
    "test a webhook": ("/dashboard/webhooks/{endpoint}/test", {"once": "5"}),
    "delete a webhook": ("/dashboard/webhooks/{endpoint}/delete", {}),
    "make a default secret": ("/dashboard/webhooks/default/rotate", {"once": "6"}),
    "add an address": ("/account/email/", {"action_add": "", "email": "new@example.org"}),
    "change the password": ("/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}),
    "confirm the password": ("/account/reauthenticate/", {"password": PASSWORD}),
    "turn on a second factor": (ACTIVATE, {}),
    "make recovery codes": ("/account/two-factor/recovery-codes/generate/", {}),
    "sign others out": ("/account/sessions/", {}),
    "download all data": ("/account/export", {}),
    "delete the account": ("/account/delete", {"email": "carol@example.org"}),
    "sign out": ("/logout", {}),
    "look at the dashboard": ("/dashboard", None),
    "look at the plans": ("/billing", None),
    "change an account in the admin": ("/admin/accounts/user/{user}/change/", {}),
}
ROWS = (PlanRequest, ApiKey, WebhookEndpoint, EmailAddress, Authenticator, UserSession, User)


def delete(user: User) -> None:
    for still_there in User.objects.filter(pk=user.pk):
        delete_account(still_there)


def nothing_is_left(answer: Any) -> None:
    """Of a deleted account: nothing is left of it, or made anew."""
    assert answer.status_code < 500, answer.content
    for model in ROWS:
        assert not model.objects.exists(), (model, answer.status_code)


@pytest.fixture
def carol(db: None) -> Person:
    person = Person("carol@example.org")
    person.browser.raise_request_exception = False
    assert person.sign_in() == "/dashboard"
    person.confirm_password()
    return person


@pytest.mark.parametrize(("path", "fields"), PAGES.values(), ids=list(PAGES))
def test_a_page(
    carol: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch, path: str, fields: dict[str, Any] | None
) -> None:
    """The account is deleted just after its session has been found good."""
    names: dict[str, Any] = {"user": carol.user.pk, "key": ApiKey.objects.issue(carol.user, "tests")[0].pk}
    names["endpoint"] = endpoints.create(carol.user, WEBHOOK["url"], WEBHOOK["events"])[0].pk  # type: ignore[arg-type]
    if path == ACTIVATE:
        fields = {"code": clock.code(str(carol.browser.get(ACTIVATE).context["form"].secret))}
    if path.startswith("/admin"):
        User.objects.filter(pk=carol.user.pk).update(is_staff=True, is_superuser=True)

    def delete_meanwhile(request: HttpRequest, **asked: Any) -> None:
        assert request.user.is_authenticated
        delete(carol.user)

    monkeypatch.setattr(middleware, "get_usage", delete_meanwhile)  # asked between the session and the page
    ask = carol.browser.get if fields is None else carol.browser.post

    nothing_is_left(ask(path.format(**names), fields))


@pytest.mark.parametrize(
    ("step", "verified"), [("authenticate", True), ("authenticate", False), ("pre_login", True), ("login", True)]
)
def test_a_sign_in(carol: Person, monkeypatch: pytest.MonkeyPatch, step: str, verified: bool) -> None:
    carol.browser.post("/logout")
    EmailAddress.objects.update(verified=verified)
    original: Callable[..., Any] = getattr(AccountAdapter, step)

    def delete_meanwhile(adapter: AccountAdapter, *args: Any, **kwargs: Any) -> Any:
        done = original(adapter, *args, **kwargs) if step == "authenticate" else None
        delete(carol.user)
        return done if step == "authenticate" else original(adapter, *args, **kwargs)

    monkeypatch.setattr(AccountAdapter, step, delete_meanwhile)

    nothing_is_left(carol.browser.post("/login", {"login": carol.user.email, "password": PASSWORD}))
    assert carol.browser.get("/dashboard").status_code == 302


def test_a_new_password_after_a_code(
    carol: Person, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Client(headers=PAGE, raise_request_exception=False)
    browser.post("/account/password/reset/", {"email": carol.user.email})
    browser.post("/account/password/reset/confirm/", {"code": code_in(mailoutbox[0])})
    original = AccountAdapter.set_password

    def delete_meanwhile(adapter: AccountAdapter, user: User, password: str) -> None:
        delete(user)
        original(adapter, user, password)

    monkeypatch.setattr(AccountAdapter, "set_password", delete_meanwhile)

    nothing_is_left(browser.post("/account/password/reset/complete/", {"password1": NEW, "password2": NEW}))
