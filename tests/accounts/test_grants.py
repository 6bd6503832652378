"""One-time grants: used after the period's quota, exact, given back by a failure."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import QuotaGrant, QuotaPeriod, Usage, User
from accounts.quota import QuotaExceeded, quota_of
from accounts.reservations import Call, reclaim, reserve
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send

SOON = timedelta(days=1)


@pytest.fixture
def poor(bob: Account) -> Account:
    """Bob with a quota of 2 a day, out of the rate's way."""
    bob.limit(quota=2, requests_per_minute=600, burst=600)
    bob.user.refresh_from_db()
    return bob


def grant(account: Account, units: int, **fields: object) -> QuotaGrant:
    return QuotaGrant.objects.create(user=account.user, units=units, reason="tests", **fields)


def call(user: User) -> Call:
    return Call(user, None, "/api/v1/remove-watermark", "0" * 32)


def spend(account: Account, times: int = 1) -> None:
    for _ in range(times):
        with reserve(call(account.user)) as reservation:
            reservation.settle(seconds=1, width=1, height=1)


def state(account: Account) -> tuple[int | None, int, int | None]:
    quota = quota_of(account.user)
    return quota.limit, quota.used, quota.remaining


def test_it_works(poor: Account) -> None:
    given = grant(poor, 3)
    assert state(poor) == (5, 0, 5)

    spend(poor, 4)
    given.refresh_from_db()
    assert given.used == 2
    assert state(poor) == (5, 4, 1)

    spend(poor)
    with pytest.raises(QuotaExceeded, match="all 5 pictures"):
        spend(poor)
    assert state(poor) == (5, 5, 0)


def test_the_periods_quota_goes_first(poor: Account) -> None:
    given = grant(poor, 3)
    spend(poor, 2)

    given.refresh_from_db()
    assert given.used == 0


def test_what_expires_first_goes_first(poor: Account) -> None:
    poor.limit(quota=0)
    poor.user.refresh_from_db()
    never = grant(poor, 1)
    later = grant(poor, 1, expires_at=timezone.now() + 2 * SOON)
    sooner = grant(poor, 1, expires_at=timezone.now() + SOON)

    order = []
    for _ in range(3):
        spend(poor)
        order.append(Usage.objects.latest("pk").quota_grant)
    assert order == [sooner, later, never]


def test_an_expired_grant_gives_nothing(poor: Account) -> None:
    grant(poor, 3, expires_at=timezone.now() - SOON)

    assert state(poor) == (2, 0, 2)
    spend(poor, 2)
    with pytest.raises(QuotaExceeded):
        spend(poor)


def test_what_is_left_stays_for_the_next_period(poor: Account) -> None:
    grant(poor, 3)
    spend(poor, 4)
    QuotaPeriod.objects.update(starts_on="2020-01-01")

    assert state(poor) == (3, 0, 3)  # 2 of the plan and the 1 that is left


def test_a_failure_gives_it_back(poor: Account) -> None:
    given = grant(poor, 3)
    spend(poor, 2)
    with reserve(call(poor.user)):  # and the engine fails: nothing is settled
        assert state(poor) == (5, 3, 2)

    given.refresh_from_db()
    assert given.used == 0
    assert state(poor) == (5, 2, 3)


def test_a_dead_process_gives_it_back(poor: Account) -> None:
    given = grant(poor, 1)
    spend(poor, 2)
    reserve(call(poor.user))  # and the process dies here
    Usage.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    assert reclaim() == 1
    given.refresh_from_db()
    assert given.used == 0
    assert state(poor) == (3, 2, 1)


def test_a_lease_that_ran_out_is_taken_anew_from_a_grant(poor: Account) -> None:
    given = grant(poor, 1)
    with reserve(call(poor.user)) as slow:
        Usage.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        spend(poor, 2)  # finds the stale lease, gives it back and takes it
        slow.settle(seconds=1, width=1, height=1)

    given.refresh_from_db()
    assert given.used == 1
    assert slow.usage is not None
    assert Usage.objects.get(pk=slow.usage.pk).quota_grant == given
    assert state(poor) == (3, 3, 0)


def test_an_unlimited_account_uses_none(poor: Account) -> None:
    given = grant(poor, 3)
    poor.user.subscription.plan.quota = None
    poor.user.subscription.quota = None
    spend(poor)

    given.refresh_from_db()
    assert given.used == 0
    assert state(poor) == (None, 1, None)


def test_nobody_elses_grant_helps(poor: Account, alice: Account) -> None:
    grant(alice, 3)

    assert state(poor) == (2, 0, 2)


def test_headers_and_stats_count_it(poor: Account) -> None:
    grant(poor, 1)
    answers = [send(poor.client) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["X-Quota-Limit"] for answer in answers] == ["3"] * 4
    assert [answer["X-Quota-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[2]["X-Credits-Charged"] == "1"
    quota = poor.client.get("/api/v1/stats").json()["quota"]
    assert (quota["limit"], quota["used"], quota["remaining"]) == (3, 3, 0)


def test_a_grant_acts_on_the_next_request(poor: Account) -> None:
    spend(poor, 2)
    assert send(poor.client).json()["code"] == "quota_exceeded"

    grant(poor, 1)
    assert send(poor.client).status_code == 200


def test_the_database_refuses_to_oversell(poor: Account) -> None:
    given = grant(poor, 1)

    with pytest.raises(IntegrityError), transaction.atomic():
        QuotaGrant.objects.filter(pk=given.pk).update(used=2)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_many_threads_use_exactly_what_there_is() -> None:
    """16 threads, 160 calls, every third of which fails: the counters are those of the successes, unit by unit."""
    account = Account("carol@example.org", "free")
    account.limit(quota=20)
    account.user.refresh_from_db()
    grants = [grant(account, 15, expires_at=timezone.now() + SOON), grant(account, 10)]

    def one(number: int) -> str:
        try:
            with reserve(call(User.objects.get(pk=account.user.pk))) as reservation:
                if number % 3 == 0:
                    return "failed"
                reservation.settle(seconds=1, width=1, height=1)
        except QuotaExceeded:
            return "refused"
        finally:
            connection.close()
        return "ok"

    with ThreadPoolExecutor(16) as threads:
        answers = Counter(threads.map(one, range(160)))

    for given in grants:
        given.refresh_from_db()
    period = QuotaPeriod.objects.get()
    # A failure returns its unit to where it was taken, so some may be left when the last call is refused.
    assert answers["ok"] == period.used + sum(given.used for given in grants)
    assert period.granted == sum(given.used for given in grants)
    assert answers["ok"] <= 45
    assert answers["refused"] + answers["ok"] + answers["failed"] == 160
    assert Usage.objects.filter(state="succeeded").count() == answers["ok"]

    spend(account, 45 - answers["ok"])  # all of what is left can be had, and not one more
    with pytest.raises(QuotaExceeded):
        spend(account)
    assert Client(headers={"X-API-Key": account.secret}).get("/api/v1/stats").json()["quota"]["used"] == 45
