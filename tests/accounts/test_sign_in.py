"""/login and /logout; the admin's door is the same."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PAGE, PASSWORD, Person, code_in


def test_it_works(carol: Person) -> None:
    assert carol.browser.get("/dashboard").status_code == 200
    assert carol.browser.post("/logout")["Location"] == "/"
    assert carol.browser.get("/dashboard")["Location"] == "/login?next=/dashboard"


def test_a_wrong_password_reads_like_an_unknown_address(carol: Person) -> None:
    wrong = Client(headers=PAGE).post("/login", {"login": carol.user.email, "password": "wrong"})
    unknown = Client(headers=PAGE).post("/login", {"login": "nobody@example.org", "password": "wrong"})

    assert wrong.status_code == unknown.status_code == 200
    for page in (wrong, unknown):
        assert b"The email address and/or password you specified are not correct." in page.content


def test_guessing_is_stopped(carol: Person) -> None:
    carol.browser.post("/logout")
    for _ in range(5):
        carol.sign_in("wrong")

    assert carol.sign_in() == ""
    page = carol.browser.post("/login", {"login": carol.user.email, "password": PASSWORD})
    assert b"Too many failed login attempts" in page.content


def test_a_strangers_guesses_do_not_lock_the_owner_out(carol: Person) -> None:
    carol.browser.post("/logout")
    guess(carol, addresses=1, each=7)

    assert carol.sign_in() == "/dashboard"


def test_while_many_guess_a_password_alone_is_not_enough(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    carol.browser.post("/logout")
    guess(carol, addresses=4, each=5)
    mailoutbox.clear()

    assert carol.sign_in() == "/account/login/code/confirm/"
    assert carol.browser.get("/dashboard").status_code == 302
    page = carol.browser.get("/account/login/code/confirm/")
    assert b"<h1>" in page.content
    (mail,) = mailoutbox
    assert mail.to == [carol.user.email]
    assert carol.browser.post("/account/login/code/confirm/", {"code": code_in(mail)})["Location"] == "/dashboard"


def test_while_many_guess_a_second_factor_is_enough(carol: Person) -> None:
    TOTP.activate(carol.user, generate_totp_secret())
    carol.browser.post("/logout")
    guess(carol, addresses=4, each=5)

    assert carol.sign_in() == "/account/two-factor/authenticate/"


def guess(person: Person, addresses: int, each: int) -> None:
    """Wrong passwords for a person's account."""
    for number in range(addresses):
        stranger = Client(headers=PAGE, REMOTE_ADDR=f"192.0.2.{number}")
        for _ in range(each):
            stranger.post("/login", {"login": person.user.email, "password": "wrong"})


def test_an_account_of_staffs_making_confirms_its_address_first(db: None, mailoutbox: list[EmailMessage]) -> None:
    User.objects.create_superuser("root@example.org", PASSWORD)
    browser = Client(headers=PAGE)

    response = browser.post("/login", {"login": "root@example.org", "password": PASSWORD})
    assert response["Location"] == "/account/confirm-email/"
    browser.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])})
    assert browser.get("/admin/").status_code == 200
    assert EmailAddress.objects.get().verified


def test_a_closed_account(carol: Person) -> None:
    User.objects.update(is_active=False)

    assert carol.browser.get("/dashboard").status_code == 302
    assert carol.sign_in() == "/account/inactive/"


def next_of(person: Person, url: str, **sent: Any) -> str:
    person.browser.post("/logout")
    form = {"login": person.user.email, "password": PASSWORD, "next": url}
    return str(person.browser.post("/login", form, **sent)["Location"])


@pytest.mark.parametrize(
    "url",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "https:evil.example", "javascript:alert(1)"),
        *("http://localhost:9999/", "https://localhost:9999/", "//localhost:9999/", "http://127.0.0.1:9999/"),
        *("https://localhost/", "ftp://localhost/", "http://testserver:9999/", "http://user@localhost/"),
    ],
)
def test_next_leads_nowhere_else(carol: Person, url: str) -> None:
    for host in ("localhost", "localhost:8080"):
        assert next_of(carol, url, headers={"Host": host}) == "/dashboard"
    form = {"password": PASSWORD, "next": url}
    assert carol.browser.post("/account/reauthenticate/", form)["Location"] == "/dashboard"
    assert carol.browser.post("/logout", {"next": url})["Location"] == "/"


def test_next_leads_on(carol: Person) -> None:
    assert next_of(carol, "/billing?plan=pro") == "/billing?plan=pro"


def test_signing_out_takes_a_form(carol: Person) -> None:
    assert carol.browser.get("/logout").status_code == 200
    assert carol.browser.get("/dashboard").status_code == 200


def test_the_admin_has_no_door_of_its_own(carol: Person) -> None:
    assert Client(headers=PAGE).get("/admin/login/?next=/admin/")["Location"].startswith("/login")
    assert carol.browser.get("/admin/login/?next=/admin/").status_code == 403
