"""Download my data: all of it, nobody else's, no secret."""

import io
import json
import re
import zipfile
from datetime import date
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.apps import apps
from django.db.models import Model
from django.test import Client

from accounts import export
from accounts.export import Files, LeftOut, Table
from accounts.models import (
    ApiKey,
    Delivery,
    KeyPeriod,
    Pack,
    PackPurchase,
    Plan,
    PlanRequest,
    QuotaGrant,
    QuotaMail,
    QuotaPeriod,
    StripeCustomer,
    Try,
    User,
)
from accounts.webhooks import endpoints, events
from inpainting import storage
from inpainting.batches.work import Worker
from inpainting.images import SizeLimit
from inpainting.models import Batch, Upload
from inpainting.saved_marks import keeping
from inpainting.saved_marks.saved import mask_of
from tests import pictures
from tests.accounts.conftest import PAGE, PASSWORD, Clock, Person
from tests.accounts.test_two_factor import turn_on
from tests.conftest import Account
from tests.inpainting.api.test_object_remover import upload
from tests.inpainting.api.test_remove_watermark import send
from tests.inpainting.batches.conftest import IMAGE, submit

URL = "/account/export"


def read(stream: Any) -> dict[str, bytes]:
    """Each file in the ZIP, whose checksums are right."""
    with zipfile.ZipFile(io.BytesIO(b"".join(stream))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(set(names)) == len(names)
        return {name: archive.read(name) for name in names}


def rows(files: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(files[name])
    return made


def owned_models() -> dict[type[Model], set[str]]:
    """Each model that points to an account, by itself or by what an account owns; its fields that point to User."""
    owned: dict[type[Model], set[str]] = {User: {"pk"}}
    models = apps.get_models(include_auto_created=True)
    while True:
        found = {
            model: {field.name for field in model._meta.concrete_fields if field.related_model is User}
            for model in models
            if model not in owned and any(field.related_model in owned for field in model._meta.concrete_fields)
        }
        if not found:
            return owned
        owned |= found


def fill(account: Account) -> Batch:
    """A row in everything that an account can have, but for a second factor and a session."""
    user = account.user
    user.first_name = f"first name of {user.email}"
    user.save()
    send(account.client)
    upload(account.client, "image")
    endpoints.create(user, f"https://example.org/{user.email}", ["batch.succeeded"])
    endpoints.rotate_default(user)
    batch = submit(account, 1, webhook_url=f"https://example.net/{user.email}", metadata={"mine": user.email})
    assert Worker().work_next()
    Try.objects.create(delivery=Delivery.objects.filter(owner=user)[0], seconds=0.1, status=500, answer=user.email)
    KeyPeriod.objects.create(key=account.key, period="day", starts_on=date(2026, 1, 2), used=3)
    period, _ = QuotaPeriod.objects.get_or_create(user=user, period="day", starts_on=date(2026, 1, 2))
    QuotaMail.objects.create(period=period, percent=80)
    grant = QuotaGrant.objects.create(user=user, units=7)
    pack, _ = Pack.objects.get_or_create(name="Seven", units=7, price=5)
    PackPurchase.objects.create(user=user, pack=pack, units=7, price=5, session_id=f"cs_{user.pk}", grant=grant)
    mark = mask_of(pictures.file(pictures.box_mask()).getvalue(), SizeLimit.of(None, None), "top-left", "pixels")
    keeping.keep(user, f"mark of {user.email}", mark)
    PlanRequest.objects.create(user=user, plan=Plan.objects.get(slug="pro"), message=f"please, {user.email}")
    StripeCustomer.objects.create(user=user, customer_id=f"cus_{user.pk}")
    return batch


def test_it_works(carol: Person) -> None:
    carol.confirm_password()
    page = carol.browser.get(URL)
    assert b"Download ZIP" in page.content

    answer = carol.browser.post(URL)
    assert answer["Content-Type"] == "application/zip"
    assert answer["Cache-Control"] == "no-store"
    assert re.fullmatch(r'attachment; filename="account-\d{4}-\d\d-\d\d\.zip"', answer["Content-Disposition"])
    files = read(answer)
    assert [row["email"] for row in rows(files, "account.json")] == ["carol@example.org"]
    assert [row["verified"] for row in rows(files, "email_addresses.json")] == [True]
    assert [row["ip"] for row in rows(files, "sessions.json")] == ["127.0.0.1"]
    assert rows(files, "batches.json") == []
    assert "The data of the account carol@example.org" in files["README.txt"].decode()


def test_everything_that_points_to_an_account_has_its_place_or_a_reason() -> None:
    parts = [part for part in export.parts() if not isinstance(part, Files)]
    told = {(part.model, part.of) for part in parts}

    assert len(told) == len(parts)
    owned = owned_models()
    assert {model for model, _ in told} == owned.keys()
    pointing = {(model, field) for model, fields in owned.items() for field in fields}
    assert pointing <= told
    assert all(part.reason.endswith(".") for part in parts if isinstance(part, LeftOut))


def test_no_column_is_called_as_secrets_are() -> None:
    tables = [part for part in export.parts() if isinstance(part, Table)]
    columns = {(table.file, column) for table in tables for column in table.columns()}

    assert ("keys.json", "prefix") in columns
    secret = re.compile(r"secret|password|digest|encrypt|token|salt|session_key")
    assert not [column for column in columns if secret.search(column[1])]


def test_all_of_it_and_nobody_elses(alice: Account, bob: Account) -> None:
    batch, others = fill(alice), fill(bob)
    files = read(export.stream(alice.user))

    session_only = {"sessions.json", "two_factor.json", "email_addresses.json"}
    tables = [part for part in export.parts() if isinstance(part, Table) and part.file not in session_only]
    for table in tables:
        mine = table.model._default_manager.filter(**{table.of: alice.user.pk})
        assert 0 < len(rows(files, table.file)) == mine.count() < table.model._default_manager.count(), table.file
    assert rows(files, "batches.json")[0]["id"] == str(batch.pk)
    assert rows(files, "batches.json")[0]["metadata"] == {"mine": "alice@example.org"}
    assert rows(files, "plan.json")[0]["plan__name"] == "Pro"

    everything = b"".join(files.values())
    assert b"alice@example.org" in everything
    for theirs in (bob.user.email, bob.key.prefix, str(others.pk), f"cus_{bob.user.pk}"):
        assert theirs.encode() not in everything


def test_many_rows_come_in_pages(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.export.ROWS", 2)
    monkeypatch.setattr("inpainting.export.PICTURES_AT_ONCE", 2)
    grants = [QuotaGrant(user=alice.user, units=units) for units in range(1, 6)]
    QuotaGrant.objects.bulk_create(grants)
    uploads = [storage.put_upload(IMAGE, Upload.Kind.MASK, alice.user).name for _ in range(5)]
    files = read(export.stream(alice.user))

    assert [row["units"] for row in rows(files, "grants.json")] == [1, 2, 3, 4, 5]
    assert {f"pictures/uploads/{name}.png" for name in uploads} < files.keys()


def test_no_secret_is_in_it(carol: Person, clock: Clock) -> None:
    secret_of_app = turn_on(carol, clock)
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    key, secret_of_key = ApiKey.objects.issue(carol.user, "laptop")
    endpoint, secret_of_hook = endpoints.create(carol.user, "https://example.org/", ["batch.failed"])
    endpoint.encrypted_before = endpoint.encrypted
    endpoint.save()
    _, default = endpoints.rotate_default(carol.user)
    events.tell(carol.user.pk, "batch.failed", {"id": "none"})
    carol.user.refresh_from_db()
    everything = b"".join(read(export.stream(carol.user)).values()).decode()

    stored = [each.data["secret" if each.type == "totp" else "seed"] for each in Authenticator.objects.all()]
    assert secret_of_app in [decrypt(text) for text in stored]
    session = carol.browser.session.session_key
    assert session
    secrets = [secret_of_app, *codes, *stored, secret_of_key, key.digest, secret_of_hook, endpoint.encrypted]
    for secret in [*secrets, default, carol.user.password, session]:
        assert secret not in everything
    assert key.prefix in everything
    assert '"type": "totp"' in everything


def test_the_password_is_asked_for(carol: Person) -> None:
    stolen = Client(headers=PAGE)
    stolen.force_login(carol.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    for send_it in (stolen.get, stolen.post):
        assert send_it(URL)["Location"].startswith("/account/reauthenticate/")
    stolen.post("/account/reauthenticate/", {"password": PASSWORD, "next": URL})
    assert read(stolen.post(URL))


def test_signed_out(public: Client) -> None:
    assert public.post(URL)["Location"].startswith("/login")


def test_from_another_site(carol: Person) -> None:
    carol.confirm_password()
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = carol.browser.cookies

    assert forged.post(URL).status_code == 403


def test_five_an_hour(carol: Person) -> None:
    carol.confirm_password()
    for _ in range(5):
        assert carol.browser.post(URL).status_code == 200

    refused = carol.browser.post(URL)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert b"too often" in refused.content
    assert carol.browser.get(URL).status_code == 200
