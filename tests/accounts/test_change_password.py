"""A new password, for somebody who knows the old one."""

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from tests.accounts.conftest import PAGE, PASSWORD, Person

URL = "/account/password/change/"
NEW = "another password of the tests"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # its mail goes out after the transaction
def test_it_works(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    carol.browser.post(URL, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert carol.browser.get("/dashboard").status_code == 200
    assert "has been changed" in mailoutbox[0].body
    carol.browser.post("/logout")
    assert carol.sign_in() == ""
    assert carol.sign_in(NEW) == "/dashboard"


def test_other_browsers_are_signed_out(carol: Person) -> None:
    other = Client(headers=PAGE)
    other.post("/login", {"login": carol.user.email, "password": PASSWORD})
    assert other.get("/dashboard").status_code == 200
    carol.browser.post(URL, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert other.get("/dashboard").status_code == 302


def test_without_the_old_one(carol: Person) -> None:
    page = carol.browser.post(URL, {"oldpassword": "wrong", "password1": NEW, "password2": NEW})

    assert b"Please type your current password." in page.content


def test_too_weak(carol: Person) -> None:
    page = carol.browser.post(URL, {"oldpassword": PASSWORD, "password1": "12345678", "password2": "12345678"})

    assert b"too common" in page.content
