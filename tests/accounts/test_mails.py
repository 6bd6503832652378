"""Mails: addresses that are none, mail servers that refuse, names of two lines, hosts and mailboxes of others."""

import re
import socketserver
import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts import key_mails, quota_mails
from accounts.models import ApiKey, User
from accounts.plain import check_address
from inpainting import expiry
from tests import pictures
from tests.accounts.conftest import PAGE, PASSWORD, Person, code_in
from tests.accounts.test_key_mails import expiring
from tests.conftest import Account

SIGN_UP, RESET, CHANGE = "/signup", "/account/password/reset/", "/account/email/"
NEW = "dave@example.org"
TWO_LINES = "evil\nBcc: victim@example.org"
LINE_BREAKS = b"Line breaks and control characters are not allowed."


class MailServer(socketserver.ThreadingTCPServer):
    """`refusal`: its answer to each RCPT, if not yes."""

    daemon_threads, refusal = True, b""
    data: list[bytes]


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.data.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            refused = verb == b"RCPT" and self.server.refusal
            self.wfile.write((self.server.refusal if refused else b"250 yes") + b"\r\n")


@pytest.fixture
def server(settings: Any, db: None) -> Iterator[MailServer]:
    """The real way of sending leads there."""
    with MailServer(("127.0.0.1", 0), _Talk) as server:
        server.data = []
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def nowhere(settings: Any, db: None) -> None:
    """The mail server is down."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def ask(url: str, email: str, **environ: Any) -> Any:
    browser = Client(raise_request_exception=False, headers=PAGE)
    return browser.post(url, {"email": email, "password1": PASSWORD}, **environ)


STRANGE = [
    '"=?utf-8?q?x=0a?="@example.com',
    '"=?utf-8?q?x=0d=0aBcc:_v@x.org?="@example.com',
    '"=?utf-8?b?AAA?="@example.com',
    "=?utf-8?q?x=0a?=@example.com",
    '"a b"@example.com',
    '"\x7f"@example.com',
    "a@" + "ä" * 60 + ".com",
    "a@[127.0.0.1]",
    "\u212a\u017f@example.com",
    "a@x.com\uff20example.com",  # IDNA makes ASCII of these: an @, the end of an address
    "a@x.com\uff1eexample.com",
]


@pytest.mark.parametrize("url", [SIGN_UP, RESET])
@pytest.mark.parametrize("email", STRANGE)
def test_strange_addresses(server: MailServer, url: str, email: str) -> None:
    response = ask(url, email)

    assert response.status_code == 200
    assert b"errorlist" in response.content
    assert not User.objects.exists()
    assert not server.data


@pytest.mark.parametrize("email", STRANGE[:3])
def test_a_strange_new_address(carol: Person, email: str) -> None:
    carol.confirm_password()
    response = carol.browser.post(CHANGE, {"action_add": "", "email": email})

    assert b"We cannot mail to an address of this form" in response.content


def test_a_strange_address_in_the_admin(admin_client: Client) -> None:
    account = {"email": STRANGE[0], "usable_password": "false"}
    assert (
        b"We cannot mail to an address of this form" in admin_client.post("/admin/accounts/user/add/", account).content
    )
    assert not User.objects.filter(email=STRANGE[0]).exists()


@pytest.mark.parametrize("email", ["a@example.com", "a.b+c=d@example.com", "a@exämple.com", "a@localhost", "o'n@x.org"])
def test_ordinary_addresses(email: str) -> None:
    check_address(email)
    EmailMessage(to=[email]).message()


def test_a_mail_server_that_is_there(server: MailServer, carol: Person) -> None:
    assert [ask(*asked).status_code for asked in ((SIGN_UP, NEW), (RESET, NEW), (RESET, carol.user.email))] == [302] * 3
    assert len(server.data) == 3


@pytest.mark.parametrize("email", [NEW, "carol@example.org"])
@pytest.mark.parametrize("url", [SIGN_UP, RESET])
def test_a_mail_server_that_is_down(carol: Person, nowhere: None, settings: Any, url: str, email: str) -> None:
    """Whether the address is known or not, nothing is written, and the form can be sent again at once."""
    for _ in range(7):
        response = ask(url, email)
        assert (response.status_code, bool(response["Retry-After"])) == (503, True)
        assert b"Mail cannot be sent now." in response.content
    assert list(User.objects.all()) == [carol.user]
    assert EmailAddress.objects.count() == 1

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert ask(url, email).status_code == 302
    assert [sent.to for sent in mail.outbox] == [[email]]


@pytest.mark.parametrize("email", [NEW, "carol@example.org"])
@pytest.mark.parametrize("url", [SIGN_UP, RESET])
def test_an_address_that_the_mail_server_refuses(carol: Person, server: MailServer, url: str, email: str) -> None:
    """Known addresses and others have the same answer."""
    server.refusal = b"550 no such user"
    response = ask(url, email)
    assert (response.status_code, b"cannot be delivered" in response.content) == (200, True)
    assert list(User.objects.all()) == [carol.user]

    server.refusal = b"450 later"
    assert ask(url, email).status_code == 503
    server.refusal = b""
    assert ask(url, email).status_code == 302
    assert len(server.data) == 1


def test_a_new_address_that_the_mail_server_refuses(carol: Person, server: MailServer) -> None:
    server.refusal = b"550 no such user"
    carol.confirm_password()

    assert b"cannot be delivered" in carol.browser.post(CHANGE, {"action_add": "", "email": NEW}).content


def test_a_code_that_cannot_be_mailed_again(db: None, settings: Any, mailoutbox: list[EmailMessage]) -> None:
    """The one that was mailed stays good."""
    browser = Client(raise_request_exception=False, headers=PAGE)
    browser.post(SIGN_UP, {"email": NEW, "password1": PASSWORD})
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "confirmations_mailed": "9/m/key"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert browser.post("/account/confirm-email/", {"action": "resend"}).status_code == 503

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    confirmed = browser.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])})
    assert confirmed["Location"] == "/dashboard"


def test_what_is_done_is_done_while_the_mail_server_is_down(carol: Person, nowhere: None) -> None:
    new = "another password of the tests"
    passwords = {"oldpassword": PASSWORD, "password1": new, "password2": new}

    assert carol.browser.post("/account/password/change/", passwords).status_code == 302
    assert carol.sign_in(new) == "/dashboard"


@pytest.mark.parametrize("name", [TWO_LINES, "a\rb", "a\x1bb", "a\u2028b"])
def test_names_of_two_lines(carol: Person, alice: Account, name: str) -> None:
    key, _ = ApiKey.objects.issue(carol.user, "before")
    asked = {"name": name, "scopes": "read", "once": "a"}
    for url in ("/dashboard/keys/new", f"/dashboard/keys/{key.pk}/edit"):
        assert LINE_BREAKS in carol.browser.post(url, asked).content
    assert ApiKey.objects.get(user=carol.user).name == "before"

    logo = pictures.file(pictures.photo(8, 8))
    refused = alice.client.post("/api/v1/marks", {"name": name, "kind": "mask", "image": logo})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert LINE_BREAKS.decode() in refused.json()["detail"]
    assert LINE_BREAKS in carol.browser.post("/dashboard/marks/new", {"name": name}).content


def test_a_webhook_of_two_lines(carol: Person, alice: Account) -> None:
    asked = {"url": "https://example.com/\nyours", "events": ["batch.failed"]}

    assert LINE_BREAKS in carol.browser.post("/dashboard/webhooks/new", {**asked, "once": "a"}).content
    assert alice.client.post("/api/v1/webhooks", asked, "application/json").status_code == 400


def test_names_of_two_lines_that_were_there_before(
    alice: Account, bob: Account, mailoutbox: list[EmailMessage]
) -> None:
    expiring(alice, 6)
    ApiKey.objects.filter(user=alice.user).update(name=TWO_LINES)
    expiring(bob, 6)

    assert expiry.sweep().mails == 2
    subject = "[Object Remover] Your API key evil Bcc: victim@example.org expires within 7 days"
    assert {each.subject for each in mailoutbox} == {subject, subject.replace(TWO_LINES.replace("\n", " "), "nightly")}
    assert sorted(each.to for each in mailoutbox) == [["alice@example.org"], ["bob@example.org"]]


@pytest.mark.parametrize("address", STRANGE[:2])
def test_one_mail_that_fails_holds_up_no_other(
    server: MailServer, alice: Account, bob: Account, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    """Of an account that was there before."""
    User.objects.filter(pk=alice.user.pk).update(email=address)
    for account in (alice, bob):
        expiring(account, 6)
        account.user.quota_periods.create(period="day", starts_on=timezone.now().date(), used=8)
        account.user.quota_periods.get().mails.create(percent=80)
        account.limit(quota=10)
    assert (key_mails.send_due(), quota_mails.send_due()) == (1, 1)

    assert all(b"To: bob@example.org" in data for data in server.data)
    assert "A mail was not sent" in caplog.text


@pytest.mark.parametrize("host", ["localhost:9999", "127.0.0.1:1"])
def test_mails_lead_to_our_own_address(carol: Person, mailoutbox: list[EmailMessage], settings: Any, host: str) -> None:
    ask(SIGN_UP, carol.user.email, HTTP_HOST=host)
    ask(SIGN_UP, NEW, HTTP_HOST=host)
    ask(RESET, "nobody@example.org", HTTP_HOST=host)
    ask(RESET, carol.user.email, HTTP_HOST=host)

    links = [re.findall(r"https?://\S+", str(each.body)) for each in mailoutbox]
    assert len(links) == 4
    assert all(link.startswith(settings.SITE_URL) for found in links for link in found)
    assert f"{settings.SITE_URL}{RESET}" in links[0]
    assert f"{settings.SITE_URL}{SIGN_UP}" in links[2]


def test_one_network_address_mails_a_stranger_twice(
    db: None, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten sign-ups within half a minute were three mails, and the stranger's own had none."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: now[0])
    for _ in range(10):
        assert ask(SIGN_UP, NEW, REMOTE_ADDR="192.0.2.1")["Location"] == "/account/confirm-email/"
        now[0] += 5
    assert len(mailoutbox) == 2

    assert ask(SIGN_UP, NEW, REMOTE_ADDR="192.0.2.1").status_code == 302
    assert ask(SIGN_UP, NEW, REMOTE_ADDR="192.0.2.2").status_code == 302
    assert len(mailoutbox) == 3


FULL_WIDTH = "dave@ex\uff41mple.org"
SPELLINGS = [FULL_WIDTH, "dave@ex\u00adample.org", "dave@\uff25xample.org", "dave@EXAMPLE.org"]


def test_a_mailbox_has_one_spelling(db: None, mailoutbox: list[EmailMessage]) -> None:
    """IDNA makes one domain of many: each was an account, and a mail, of its own."""
    for email in [*SPELLINGS, NEW]:
        assert ask(SIGN_UP, email).status_code == 302
    assert list(User.objects.values_list("email", flat=True)) == [NEW]
    assert len(mailoutbox) == 1

    browser = Client(headers=PAGE)
    assert browser.post("/login", {"login": FULL_WIDTH, "password": PASSWORD})["Location"] == "/account/confirm-email/"


def test_old_spellings_are_written_anew(db: None) -> None:
    """Of before: not where another account has the address that mail goes to."""
    migration = import_module("accounts.migrations.0018_canonical_addresses")
    old = ["eve@ex\u00e4mple.org", FULL_WIDTH]
    for email in (*old, NEW):
        user = User.objects.create(email=email)
        EmailAddress.objects.create(user=user, email=email, primary=True)

    migration.rewrite(apps, None)

    for model in (User, EmailAddress):
        emails = model.objects.order_by("pk").values_list("email", flat=True)
        assert list(emails) == ["eve@xn--exmple-cua.org", FULL_WIDTH, NEW]


def test_one_network_address_asks_for_new_passwords_of_another_spelling(
    carol: Person, mailoutbox: list[EmailMessage]
) -> None:
    for letter in ("e", "\uff45", "\uff25", "e\u00ad", "e\u200b"):
        assert ask(RESET, f"carol@{letter}xample.org").status_code == 302
    assert len(mailoutbox) == 2


def test_one_network_address_asks_for_new_passwords_twice(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    for _ in range(6):
        assert ask(RESET, carol.user.email, REMOTE_ADDR="192.0.2.1").status_code == 302
    assert len(mailoutbox) == 2

    ask(RESET, carol.user.email, REMOTE_ADDR="192.0.2.2")
    assert len(mailoutbox) == 3
