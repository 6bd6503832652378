"""A forgotten password: a mailed code, then a new one."""

from django.core.mail import EmailMessage
from django.test import Client

from tests.accounts.conftest import PAGE, Person, code_in

NEW = "another password of the tests"


def test_it_works(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    browser = Client(headers=PAGE)
    browser.post("/account/password/reset/", {"email": carol.user.email})
    browser.post("/account/password/reset/confirm/", {"code": code_in(mailoutbox[0])})
    done = browser.post("/account/password/reset/complete/", {"password1": NEW, "password2": NEW})

    assert done.status_code == 302
    assert carol.browser.get("/dashboard").status_code == 302  # who was signed in with the old one is not any more
    assert carol.sign_in() == ""
    assert carol.sign_in(NEW) == "/dashboard"
    assert "has been reset" in mailoutbox[-1].body


def test_an_unknown_address_is_not_told(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    known = Client(headers=PAGE).post("/account/password/reset/", {"email": carol.user.email})
    unknown = Client(headers=PAGE).post("/account/password/reset/", {"email": "nobody@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_a_wrong_code(carol: Person) -> None:
    browser = Client(headers=PAGE)
    browser.post("/account/password/reset/", {"email": carol.user.email})

    assert b"Incorrect code" in browser.post("/account/password/reset/confirm/", {"code": "AAAA-AAAA"}).content
    assert browser.get("/account/password/reset/complete/").status_code == 302  # no way around the code
