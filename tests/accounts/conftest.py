"""Carol: an account with a confirmed address and a password, signed in through the real page; no key yet."""

import base64
import hmac
import re
from types import SimpleNamespace

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User

PASSWORD = "a password of the tests"
PAGE = {"Accept": "text/html"}


class Person:
    def __init__(self, email: str) -> None:
        self.user = User.objects.create_user(email, PASSWORD)
        EmailAddress.objects.create(user=self.user, email=email, verified=True, primary=True)
        self.browser = Client(headers=PAGE)

    def sign_in(self, password: str = PASSWORD) -> str:
        """Where the sign-in page leads; empty when it stays."""
        response = self.browser.post("/login", {"login": self.user.email, "password": password})
        return str(response.get("Location", ""))

    def confirm_password(self) -> None:
        """What the site asks for before anything that takes an account away."""
        self.browser.post("/account/reauthenticate/", {"password": PASSWORD})


@pytest.fixture
def carol(db: None) -> Person:
    person = Person("carol@example.org")
    assert person.sign_in() == "/dashboard"
    return person


class Clock:
    """The half minutes that authenticator apps count, standing still."""

    now = 1_800_000_000

    def code(self, secret: str) -> str:
        """What an authenticator app shows."""
        digest = hmac.digest(base64.b32decode(secret), (self.now // 30).to_bytes(8, "big"), "sha1")
        offset = digest[-1] & 15
        return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


def code_in(mail: EmailMessage) -> str:
    """The code that a mail asks somebody to type."""
    codes = re.findall(r"^[A-Z]{4}-[A-Z]{4}$", str(mail.body), re.MULTILINE)
    assert len(codes) == 1, mail.body
    return str(codes[0])
