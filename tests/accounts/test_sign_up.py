"""/signup: an address, a password, the code that was mailed."""

from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import get_hasher
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
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


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nothing_slow_happens_while_nobody_else_can_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of SQLite's one writer: parallel sign-ups waited for each other's hashing until some were 503."""
    slow: list[tuple[str, bool]] = []

    def watch(owner: Any, name: str) -> None:
        does = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            slow.append((name, connection.in_atomic_block))
            return does(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    watch(type(get_hasher()), "encode")
    watch(EmailMessage, "send")
    Client(headers=PAGE).post("/signup", NEW)
    cache.clear()  # codes are mailed ten seconds apart
    Client(headers=PAGE).post("/signup", NEW)

    assert slow == 2 * [("encode", False), ("send", False)]


def test_of_sign_ups_at_once_one_is_mailed(
    browser: Client, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looks before any is written."""
    looked = "allauth.account.internal.flows.manage_email.email_already_exists"
    monkeypatch.setattr(looked, lambda email, **_: (email, False))
    others = [Client(headers=PAGE) for _ in range(5)]
    answers = [each.post("/signup", NEW) for each in (browser, *others)]

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/account/confirm-email/")}
    assert User.objects.count() == 1
    (mail,) = mailoutbox
    assert [confirm(each, code_in(mail)) for each in others] == [""] * 5
    assert confirm(browser, code_in(mail)) == "/dashboard"


def test_strangers_who_use_up_the_mails_of_an_address_are_not_noticed(
    browser: Client, mailoutbox: list[EmailMessage]
) -> None:
    Client(headers=PAGE).post("/signup", NEW)
    assert browser.post("/signup", NEW)["Location"] == "/account/confirm-email/"
    assert browser.get("/account/confirm-email/").status_code == 200
    again = Client(headers=PAGE)
    assert again.post("/login", {"login": NEW["email"], "password": PASSWORD})["Location"] == "/account/confirm-email/"
    assert again.get("/account/confirm-email/").status_code == 200
    assert len(mailoutbox) == 1
    assert b"Incorrect code" in again.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])}).content

    cache.clear()  # ten seconds later
    assert again.post("/account/confirm-email/", {"action": "resend"})["Location"] == "/account/confirm-email/"
    assert confirm(again, code_in(mailoutbox[1])) == "/dashboard"


def test_who_asks_for_another_code_too_soon_keeps_the_first(browser: Client, mailoutbox: list[EmailMessage]) -> None:
    browser.post("/signup", NEW)
    assert browser.post("/account/confirm-email/", {"action": "resend"})["Location"] == "/account/confirm-email/"

    (mail,) = mailoutbox
    assert confirm(browser, code_in(mail)) == "/dashboard"


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
