"""/signup: an address, a password, the code that was mailed."""

from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import get_hasher
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PAGE, PASSWORD, Person, code_in

NEW = {"email": "dave@example.org", "password1": PASSWORD}


@pytest.fixture
def browser(db: None) -> Client:
    return Client(headers=PAGE)


def confirm(browser: Client, code: str) -> str:
    return str(browser.post("/account/confirm-email/", {"code": code}).get("Location", ""))


def test_it_works(browser: Client, mailoutbox: list[EmailMessage]) -> None:
    assert browser.post("/signup", NEW)["Location"] == "/account/confirm-email/"
    assert "login" in browser.get("/dashboard")["Location"]  # not before the code

    (mail,) = mailoutbox
    assert mail.to == ["dave@example.org"]
    assert "http://localhost:8080" in mail.body
    assert confirm(browser, code_in(mail)) == "/dashboard"

    user = User.objects.get()
    assert user.current_subscription.plan.slug == "free"
    assert b"first API key" in browser.get("/dashboard").content


def test_a_wrong_code(browser: Client, mailoutbox: list[EmailMessage]) -> None:
    browser.post("/signup", NEW)

    assert b"Incorrect code" in browser.post("/account/confirm-email/", {"code": "AAAA-AAAA"}).content
    for _ in range(3):
        confirm(browser, "AAAA-AAAA")
    assert confirm(browser, code_in(mailoutbox[0])) != "/dashboard"  # guessed too often


def test_a_known_address_is_not_told(browser: Client, carol: Person, mailoutbox: list[EmailMessage]) -> None:
    known = browser.post("/signup", {**NEW, "email": carol.user.email})
    new = Client(headers=PAGE).post("/signup", NEW)

    assert (known.status_code, known["Location"]) == (new.status_code, new["Location"])
    assert User.objects.filter(email=carol.user.email).count() == 1
    (told,) = [mail for mail in mailoutbox if mail.to == [carol.user.email]]
    assert "already exists" in told.body  # only the address's owner learns it


def test_a_known_address_takes_as_long(browser: Client, carol: Person) -> None:
    """Hashing is nearly all of a sign-up's time, so it is counted instead of measured."""
    hasher = type(get_hasher())
    with patch.object(hasher, "encode", autospec=True, side_effect=hasher.encode) as hashing:
        browser.post("/signup", NEW)
        assert hashing.call_count == 1
        Client(headers=PAGE).post("/signup", {**NEW, "email": carol.user.email})
        assert hashing.call_count == 2


@pytest.mark.parametrize(
    ("field", "value"), [("email", "no address"), ("email", ""), ("password1", "123"), ("password1", "password")]
)
def test_what_was_typed_is_not_accepted(browser: Client, field: str, value: str) -> None:
    response = browser.post("/signup", {**NEW, field: value})

    assert b"errorlist" in response.content
    assert not User.objects.exists()


def test_addresses_differ_in_more_than_case(browser: Client, carol: Person) -> None:
    browser.post("/signup", {**NEW, "email": "CAROL@Example.org"})

    assert User.objects.count() == 1


def test_somebody_signed_in_is_led_on(carol: Person) -> None:
    assert carol.browser.get("/signup")["Location"] == "/dashboard"


def test_what_was_left_unfinished_is_finished_by_signing_in(browser: Client, mailoutbox: list[EmailMessage]) -> None:
    browser.post("/signup", NEW)
    cache.clear()  # codes are mailed ten seconds apart
    later = Client(headers=PAGE)
    later.post("/login", {"login": NEW["email"], "password": PASSWORD})

    assert confirm(later, code_in(mailoutbox[-1])) == "/dashboard"
