"""What nobody needs any more goes by itself."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import deletion
from accounts.models import ApiKey, User
from tests.accounts.conftest import PAGE, Person
from tests.accounts.test_sign_up import NEW


def sign_up_days_ago(days: int) -> User:
    Client(headers=PAGE).post("/signup", NEW)
    User.objects.filter(email=NEW["email"]).update(date_joined=timezone.now() - timedelta(days=days))
    return User.objects.get(email=NEW["email"])


def test_it_works(carol: Person) -> None:
    assert UserSession.objects.count() == 1
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert deletion.delete_stale() == 1
    assert not UserSession.objects.exists() | Session.objects.exists()
    assert User.objects.get() == carol.user


def test_a_live_session_stays(carol: Person) -> None:
    deletion.delete_stale()

    assert carol.browser.get("/dashboard").status_code == 200
    assert UserSession.objects.count() == 1


def test_a_sign_up_that_nobody_confirmed(db: None) -> None:
    sign_up_days_ago(6)
    deletion.delete_stale()
    assert User.objects.exists()

    sign_up_days_ago(8)
    deletion.delete_stale()
    assert not User.objects.exists()


def test_an_account_with_a_key_stays(db: None) -> None:
    ApiKey.objects.issue(sign_up_days_ago(8), "made by a command")
    deletion.delete_stale()

    assert User.objects.exists()


def test_somebody_who_is_changing_the_address_stays(carol: Person) -> None:
    User.objects.update(date_joined=timezone.now() - timedelta(days=8))
    EmailAddress.objects.create(user=carol.user, email="carol@new.example", verified=False)
    deletion.delete_stale()

    assert User.objects.get() == carol.user
