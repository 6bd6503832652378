"""Another address: it counts once the code that was mailed there is typed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.messages import get_messages
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client

from accounts.adapters import AccountAdapter
from accounts.models import User
from tests.accounts.conftest import PAGE, Person, code_in

URL = "/account/email/"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # its mail goes out after the transaction
def test_it_works(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": "carol@new.example"})
    carol.user.refresh_from_db()
    assert carol.user.email == "carol@example.org"

    carol.browser.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])})
    carol.user.refresh_from_db()
    assert carol.user.email == "carol@new.example"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("carol@new.example", True)]
    told = [mail.to for mail in mailoutbox if "has been changed" in mail.body]
    assert ["carol@example.org"] in told  # the old address learns of it


def test_a_wrong_code(carol: Person) -> None:
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": "carol@new.example"})
    carol.browser.post("/account/confirm-email/", {"code": "AAAA-AAAA"})

    carol.user.refresh_from_db()
    assert carol.user.email == "carol@example.org"


def test_somebody_elses_address_is_not_told(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    other = Person("other@example.org")
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": other.user.email})

    carol.user.refresh_from_db()
    assert carol.user.email == "carol@example.org"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_code_sent_twice_at_once(mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have found it right before either writes."""
    carol = Person("carol@example.org")
    carol.sign_in()
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": "carol@new.example"})
    twin = Client(headers=PAGE)
    twin.cookies = carol.browser.cookies
    both, confirm = Barrier(2, timeout=10), AccountAdapter.confirm_email

    def together(*args: Any) -> bool:
        both.wait()
        return confirm(*args)

    def enter(browser: Client) -> tuple[int, str]:
        response = browser.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])})
        connection.close()
        return response.status_code, response["Location"]

    monkeypatch.setattr(AccountAdapter, "confirm_email", together)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(enter, [carol.browser, twin]))

    assert answers[0] == answers[1]
    carol.user.refresh_from_db()
    assert carol.user.email == "carol@new.example"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("carol@new.example", True, True)]


def test_an_address_that_becomes_somebody_elses_meanwhile(
    carol: Person, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After allauth's look, before it writes."""
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": "x@new.example"})

    def look(address: EmailAddress) -> bool:
        other = User.objects.create_user("other@example.org")
        EmailAddress.objects.create(user=other, email=address.email, verified=True, primary=True)
        return True

    monkeypatch.setattr(EmailAddress, "can_set_verified", look)
    response = carol.browser.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])})

    assert (response.status_code, response["Location"]) == (302, "/account/email/")
    assert "already confirmed by a different account" in " ".join(map(str, get_messages(response.wsgi_request)))
    carol.user.refresh_from_db()
    assert carol.user.email == "carol@example.org"
    assert list(EmailAddress.objects.filter(user=carol.user).values_list("email", "verified", "primary")) == [
        ("carol@example.org", True, True)
    ]
