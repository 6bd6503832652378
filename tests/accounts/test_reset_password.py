"""A forgotten password: a mailed code, then a new one."""

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from tests.accounts.conftest import PAGE, Person, code_in

NEW = "another password of the tests"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # its mail goes out after the transaction
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


def test_strangers_who_use_up_the_mails_of_an_address_are_not_noticed(
    carol: Person, mailoutbox: list[EmailMessage]
) -> None:
    """Five a minute go out. Of the code that was mailed before that, its browser knows on."""
    browsers = [Client(headers=PAGE, REMOTE_ADDR=f"192.0.2.{number}") for number in range(7)]
    for browser in (*browsers, browsers[0]):
        response = browser.post("/account/password/reset/", {"email": carol.user.email})
        assert (response.status_code, response["Location"]) == (302, "/account/password/reset/confirm/")
        assert browser.get(response["Location"]).status_code == 200
    assert len(mailoutbox) == 5

    code = {"code": code_in(mailoutbox[0])}
    assert b"Incorrect code" in browsers[6].post("/account/password/reset/confirm/", code).content
    done = browsers[0].post("/account/password/reset/confirm/", code)
    assert done["Location"] == "/account/password/reset/complete/"


def test_one_who_asks_for_many_is_refused(carol: Person) -> None:
    browser = Client(headers=PAGE)
    answers = [browser.post("/account/password/reset/", {"email": f"{name}@example.org"}) for name in range(21)]

    assert [answer.status_code for answer in answers] == [302] * 20 + [429]


def test_a_wrong_code(carol: Person) -> None:
    browser = Client(headers=PAGE)
    browser.post("/account/password/reset/", {"email": carol.user.email})

    assert b"Incorrect code" in browser.post("/account/password/reset/confirm/", {"code": "AAAA-AAAA"}).content
    assert browser.get("/account/password/reset/complete/").status_code == 302  # no way around the code
