"""Mails that a key will expire soon, sent by the sweep."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import key_mails
from accounts.models import ApiKey
from tests.conftest import Account


def expiring(account: Account, days: float, age: float = 100) -> ApiKey:
    """A key that was made `age` days ago and expires in `days`."""
    now = timezone.now()
    key, _ = ApiKey.objects.issue(account.user, "nightly", expires_at=now + timedelta(days=days))
    ApiKey.objects.filter(pk=key.pk).update(created_at=now - timedelta(days=age))
    return key


def refuse(*arguments: Any) -> int:
    raise ConnectionRefusedError


def test_it_works(bob: Account, mailoutbox: list[Any]) -> None:
    key = expiring(bob, 7.1)
    assert key_mails.send_due() == 0
    for days in (6.9, 6.8, 0.9, 0.8):
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + timedelta(days=days))
        key_mails.send_due()

    assert [each.subject for each in mailoutbox] == [
        "[Object Remover] Your API key nightly expires within 7 days",
        "[Object Remover] Your API key nightly expires within a day",
    ]
    assert mailoutbox[0].to == ["bob@example.org"]
    assert f"{key.prefix}…" in mailoutbox[0].body
    assert f"/dashboard/keys/{key.pk}/rotate" in mailoutbox[0].body


def test_a_key_that_is_found_late_is_told_of_once(bob: Account, mailoutbox: list[Any]) -> None:
    expiring(bob, 0.5)

    assert key_mails.send_due() == 1
    assert key_mails.send_due() == 0


def test_keys_whose_owner_knows(bob: Account) -> None:
    expiring(bob, 7, age=0)
    expiring(bob, 0.5).revoke()
    expiring(bob, 100).rotate(grace=timedelta(hours=1), expires_at=None)

    assert key_mails.send_due() == 0


def test_a_mail_server_that_is_down(bob: Account, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]) -> None:
    expiring(bob, 6)
    with monkeypatch.context() as patch:
        patch.setattr(mail.get_connection().__class__, "send_messages", refuse)
        assert key_mails.send_due() == 0

    assert key_mails.send_due() == 1


def test_two_sweeps_at_once(bob: Account, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]) -> None:
    expiring(bob, 6)
    send_mail = mail.send_mail

    def send_while_another_sweeps(*arguments: Any) -> None:
        assert key_mails.send_due() == 0
        send_mail(*arguments)

    monkeypatch.setattr("accounts.mail.send_mail", send_while_another_sweeps)
    assert key_mails.send_due() == 1
    assert len(mailoutbox) == 1


def test_a_process_that_dies_while_it_sends(
    bob: Account, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    """Whether the mail went out nobody knows: it is sent again, once nobody can be sending it any more."""

    def die(*arguments: Any) -> None:
        raise SystemExit

    key = expiring(bob, 6)
    with monkeypatch.context() as patch:
        patch.setattr("accounts.mail.send_mail", die)
        with pytest.raises(SystemExit):
            key_mails.send_due()
    assert key_mails.send_due() == 0  # it may be another sweep's that still runs

    ApiKey.objects.filter(pk=key.pk).update(telling_until=timezone.now() - timedelta(seconds=1))
    assert key_mails.send_due() == 1
    assert key_mails.send_due() == 0
    assert len(mailoutbox) == 1


def test_a_key_whose_end_is_moved_while_the_mail_is_sent(
    bob: Account, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    """What its owner did says whether there is a mail before its new end."""
    key = expiring(bob, 6)

    def rotate_meanwhile(*arguments: Any) -> None:
        key.rotate(grace=timedelta(days=1), expires_at=None)

    monkeypatch.setattr("accounts.mail.send_mail", rotate_meanwhile)
    key_mails.send_due()

    key.refresh_from_db()
    assert (key.told_days, key.telling_until) == (0, None)
