"""A key's cap: pictures a day or month, beside the account's quota."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from accounts.caps import KeyQuotaExceeded
from accounts.models import ApiKey, KeyPeriod, Usage
from accounts.quota import quota_of
from accounts.reservations import Call, forget, reserve, reserve_many
from tests.accounts.conftest import Person
from tests.conftest import Account
from tests.inpainting.api import test_batch
from tests.inpainting.api.test_remove_watermark import send


def capped(account: Account, cap: int, period: str = "day") -> tuple[ApiKey, Client]:
    key, secret = ApiKey.objects.issue(account.user, "capped", cap=cap, cap_period=period)
    return key, Client(headers={"X-API-Key": secret})


def used(key: ApiKey) -> int:
    return KeyPeriod.objects.get(key=key).used


def test_it_works(alice: Account) -> None:
    key, client = capped(alice, 1)
    assert send(client).status_code == 200

    refused = send(client)
    assert (refused.status_code, refused.json()["code"]) == (429, "key_quota_exceeded")
    assert 0 < int(refused["Retry-After"]) <= 24 * 3600
    assert (used(key), quota_of(alice.user).used) == (1, 1)
    assert send(alice.client).status_code == 200  # the account's other keys go on


def test_what_fails_is_given_back(alice: Account) -> None:
    key, _ = capped(alice, 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), reserve(Call(alice.user, key, "/", "0" * 32)):
            raise ZeroDivisionError
    assert used(key) == 0


def test_an_account_without_quota_takes_nothing_of_the_cap(alice: Account) -> None:
    key, client = capped(alice, 5)
    alice.limit(quota=0)

    assert send(client).json()["code"] == "quota_exceeded"
    assert not KeyPeriod.objects.filter(key=key, used__gt=0).exists()


def test_batches(alice: Account) -> None:
    key, client = capped(alice, 1, "month")

    assert test_batch.send(client).json()["code"] == "key_quota_exceeded"
    batch = test_batch.send(client, partial="true").json()
    assert (batch["queued"], batch["failed"], used(key)) == (1, 1, 1)
    client.delete(batch["links"]["self"])
    assert (used(key), quota_of(alice.user).used) == (0, 0)


def test_a_partial_batch_takes_no_more_of_the_cap_than_of_the_quota(alice: Account) -> None:
    key, _ = capped(alice, 5)
    alice.limit(quota=2)
    alice.user.refresh_from_db()

    assert len(reserve_many(Call(alice.user, key, "/", "0" * 32), 4, partial=True)) == used(key) == 2
    forget(Usage.objects.all())
    assert used(key) == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_many_at_once(alice: Account) -> None:
    key, _ = capped(alice, 3)

    def take(number: int) -> bool:
        try:
            reserve(Call(alice.user, key, "/", f"{number:032}"))
        except KeyQuotaExceeded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(8))) == used(key) == 3


def test_a_page_takes_it(carol: Person) -> None:
    form = {"name": "capped", "scopes": "process", "cap": "1500", "cap_period": "month", "once": "a"}
    carol.browser.post("/dashboard/keys/new", form)

    key = ApiKey.objects.get()
    assert (key.cap, key.cap_period) == (1500, "month")
    assert "at most 1,500 a month" in carol.browser.get("/dashboard/keys").content.decode()
    new, _ = key.rotate(grace=key.created_at - key.created_at, expires_at=None)
    assert (new.cap, new.cap_period) == (1500, "month")
