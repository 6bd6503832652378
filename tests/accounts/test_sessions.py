"""Where somebody is signed in, and signing out elsewhere."""

import secrets

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from accounts.templatetags.browsers import browser
from tests.accounts.conftest import PAGE, PASSWORD, Person

URL = "/account/sessions/"


def test_it_works(carol: Person) -> None:
    elsewhere = Client(headers={**PAGE, "User-Agent": "Another browser"})
    elsewhere.post("/login", {"login": carol.user.email, "password": PASSWORD})

    assert b"Another browser" in carol.browser.get(URL).content
    carol.browser.post(URL)
    assert elsewhere.get("/dashboard").status_code == 302
    assert carol.browser.get("/dashboard").status_code == 200


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_in_words(header: str, words: str) -> None:
    assert browser(header) == words


def test_other_people_are_not_in_the_list(carol: Person) -> None:
    other = Person("other@example.org")
    other.browser = Client(headers={**PAGE, "User-Agent": "Somebody else"})
    other.sign_in()

    assert b"Somebody else" not in carol.browser.get(URL).content


def test_signed_out(public: Client) -> None:
    assert public.get(URL)["Location"] == f"/login?next={URL}"


@pytest.mark.parametrize("where", ["form", "headers"])
def test_a_long_form_does_not_wait_for_the_password(carol: Person, where: str) -> None:
    """A session's row keeps what waits; what compresses badly is as large there as it was sent."""
    stolen = Client(headers=PAGE)
    stolen.force_login(carol.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    stolen.post("/account/delete", {"email": carol.user.email})  # waits
    long = secrets.token_urlsafe(30_000)
    form = {"email": long if where == "form" else carol.user.email}
    headers = {"X-Long": long} if where == "headers" else {}

    asked = stolen.post("/account/delete", form, headers=headers)["Location"]
    assert max(len(row.session_data) for row in Session.objects.all()) < 4096
    assert stolen.post(asked, {"password": PASSWORD})["Location"] == "/account/delete"
    assert stolen.get("/account/delete").status_code == 200  # to be filled in: nothing that waited was done
    assert User.objects.exists()
