"""Units for pictures that are worked on later: all or nothing, or as many as there are."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import QuotaGrant, Usage
from accounts.quota import QuotaExceeded, quota_of
from accounts.reservations import Call, forget, reclaim, reserve_many, resume
from tests.conftest import Account


def reserve(account: Account, count: int, *, partial: bool = False) -> list[Usage]:
    account.user.refresh_from_db()
    return reserve_many(Call(account.user, account.key, "/api/v1/batch", "0" * 32), count, partial=partial)


def test_it_works(bob: Account) -> None:
    rows = reserve(bob, 10)

    assert [row.state for row in rows] == ["reserved"] * 10
    assert quota_of(bob.user).remaining == 0


def test_all_or_nothing(bob: Account) -> None:
    with pytest.raises(QuotaExceeded):
        reserve(bob, 11)

    assert not Usage.objects.exists()


def test_partial_takes_what_is_left(bob: Account) -> None:
    reserve(bob, 8)

    assert len(reserve(bob, 5, partial=True)) == 2
    with pytest.raises(QuotaExceeded):
        reserve(bob, 5, partial=True)


def test_grants_give_what_the_quota_lacks(bob: Account) -> None:
    for units in (3, 4):
        QuotaGrant.objects.create(user=bob.user, units=units, reason="x")
    rows = reserve(bob, 15)

    assert len(rows) == 15
    assert sorted(grant.used for grant in QuotaGrant.objects.all()) in ([1, 4], [2, 3])
    assert (quota_of(bob.user).used, quota_of(bob.user).remaining) == (15, 2)
    forget(Usage.objects.all())
    assert (quota_of(bob.user).used, quota_of(bob.user).remaining) == (0, 17)
    assert not Usage.objects.exists()


def test_they_have_no_lease_that_runs_out(bob: Account) -> None:
    reserve(bob, 2)
    Usage.objects.update(created_at=timezone.now() - timedelta(days=9))

    assert reclaim() == 0
    assert quota_of(bob.user).used == 2


def test_each_is_settled_or_given_back_alone(bob: Account) -> None:
    spent, free, failed = reserve(bob, 3)
    resume(spent).settle(seconds=1, width=1, height=1)
    resume(spent).settle(seconds=1, width=1, height=1, free=True)  # its end is written: this changes no charge
    resume(free).settle(seconds=1, width=1, height=1, free=True)
    with pytest.raises(MemoryError), resume(failed):
        raise MemoryError

    assert quota_of(bob.user).used == 1
    assert sorted(Usage.objects.values_list("state", "charged")) == [("failed", 0), ("succeeded", 0), ("succeeded", 1)]


def test_forgetting_leaves_what_was_settled(bob: Account) -> None:
    spent, _ = reserve(bob, 2)
    resume(spent).settle(seconds=1, width=1, height=1)
    forget(Usage.objects.all())

    assert Usage.objects.get() == spent
    assert quota_of(bob.user).used == 1
