"""Mails that a quota runs low: one a period and threshold, sent by the sweep."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import quota_mails
from accounts.models import QuotaMail
from accounts.quota import take_units
from tests.conftest import Account


def use(account: Account, count: int) -> None:
    with transaction.atomic():
        take_units(account.user, account.user.limits, count)


def test_it_works(bob: Account, mailoutbox: list[Any]) -> None:
    use(bob, 7)
    assert quota_mails.send_due() == 0
    use(bob, 1)
    assert not mailoutbox  # no request waits for a mail server
    assert quota_mails.send_due() == 1
    use(bob, 2)
    assert quota_mails.send_due() == 1
    assert quota_mails.send_due() == 0

    low, out = mailoutbox
    assert (low.to, low.subject) == (["bob@example.org"], "[Object Remover] 80% of your pictures today are used")
    assert "8 of 10 pictures today are used, 2 are left. The quota renews tomorrow, 00:00 UTC." in low.body
    assert out.subject == "[Object Remover] All of your pictures today are used"


def test_a_unit_that_comes_back_and_goes_again_is_not_told_twice(bob: Account, mailoutbox: list[Any]) -> None:
    use(bob, 8)
    bob.user.quota_periods.update(used=7)
    use(bob, 1)

    assert quota_mails.send_due() == 1


def test_two_sweeps_at_once(bob: Account, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]) -> None:
    use(bob, 8)
    send_mail = mail.send_mail

    def send_while_another_sweeps(*arguments: Any) -> None:
        assert quota_mails.send_due() == 0
        send_mail(*arguments)

    monkeypatch.setattr("accounts.mail.send_mail", send_while_another_sweeps)
    assert quota_mails.send_due() == 1
    assert len(mailoutbox) == 1


def test_a_mail_server_that_is_down(bob: Account, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]) -> None:
    def down(*arguments: Any) -> None:
        raise ConnectionRefusedError

    use(bob, 8)
    with monkeypatch.context() as patched:
        patched.setattr("accounts.mail.send_mail", down)
        assert quota_mails.send_due() == 0

    assert quota_mails.send_due() == 1


@pytest.mark.parametrize(
    ("state", "says"), [("sending", "The process died that was sending"), ("queued", "before its period ended")]
)
def test_what_was_not_sent_is_logged(
    bob: Account, mailoutbox: list[Any], caplog: pytest.LogCaptureFixture, state: str, says: str
) -> None:
    use(bob, 8)
    two_days_ago = timezone.now() - timedelta(days=2)
    QuotaMail.objects.update(state=state, changed_at=two_days_ago)
    bob.user.quota_periods.update(starts_on=two_days_ago.date())

    assert quota_mails.send_due() == 0
    assert says in caplog.text
    assert QuotaMail.objects.get().state == "dropped"
    assert not mailoutbox


def test_who_does_not_want_them_gets_none(bob: Account, mailoutbox: list[Any]) -> None:
    browser = Client()
    browser.force_login(bob.user)
    use(bob, 8)
    assert b"No mails about your quota." in browser.post("/billing/quota-mails", follow=True).content
    assert quota_mails.send_due() == 0

    bob.user.refresh_from_db()
    use(bob, 2)
    assert QuotaMail.objects.count() == 1
    browser.post("/billing/quota-mails", {"quota_mails": "on"})
    bob.user.refresh_from_db()
    assert bob.user.quota_mails
