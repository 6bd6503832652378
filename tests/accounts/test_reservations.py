"""A unit is reserved before the engine runs, spent by a success, given back by everything else."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from accounts import metering
from accounts.models import Plan, QuotaPeriod, Subscription, Usage
from accounts.quota import QuotaExceeded, quota_of
from accounts.reservations import (
    Call,
    IdempotencyInProgress,
    IdempotencyMismatch,
    Reservation,
    reclaim,
    reserve,
)
from tests.conftest import Account


def call(account: Account, key: str | None = None) -> Call:
    return Call(account.user, account.key, "/api/v1/remove-watermark", "0" * 32, key)


def spend(account: Account, key: str | None = None, fingerprint: str = "") -> Reservation:
    with reserve(call(account, key), fingerprint) as reservation:
        reservation.settle(seconds=1.5, width=40, height=30, answer="the answer")
    return reservation


def used(account: Account) -> int:
    return quota_of(account.user).used


def test_it_works(bob: Account) -> None:
    spend(bob)

    row = Usage.objects.get()
    assert used(bob) == 1
    assert (row.state, row.charged, row.seconds, row.width, row.height) == ("succeeded", 1, 1.5, 40, 30)


def test_while_it_runs_the_unit_is_taken(bob: Account) -> None:
    with reserve(call(bob)):
        assert used(bob) == 1


def test_a_failure_gives_it_back(bob: Account) -> None:
    with pytest.raises(MemoryError), reserve(call(bob)):
        raise MemoryError

    assert used(bob) == 0
    assert Usage.objects.get().state == "failed"
    assert Usage.objects.get().charged == 0


def test_the_unit_past_the_quota_is_refused(bob: Account) -> None:
    bob.limit(quota=2)
    bob.user.refresh_from_db()
    spend(bob)
    spend(bob)

    with pytest.raises(QuotaExceeded) as refusal:
        reserve(call(bob))
    assert refusal.value.retry_after > 0
    assert used(bob) == 2
    assert Usage.objects.count() == 2  # no half-written row


def test_a_raised_quota_acts_at_once(bob: Account) -> None:
    bob.limit(quota=0)
    bob.user.refresh_from_db()
    with pytest.raises(QuotaExceeded):
        reserve(call(bob))

    bob.limit(quota=1)
    bob.user.refresh_from_db()
    spend(bob)


@pytest.mark.parametrize("period", ["day", "month"])
def test_a_downgrade_while_calls_run(bob: Account, period: str) -> None:
    """Whatever runs was paid for by the plan it began on, and goes back to where it was taken."""
    Plan.objects.filter(slug="pro").update(quota=20, quota_period="day")
    Plan.objects.filter(slug="free").update(quota=5, quota_period=period)
    Subscription.objects.filter(user=bob.user).update(plan=Plan.objects.get(slug="pro"))
    bob.user.refresh_from_db()
    running = [reserve(call(bob)) for _ in range(8)]
    Subscription.objects.filter(user=bob.user).update(plan=Plan.objects.get(slug="free"))
    bob.user.refresh_from_db()
    began, now = QuotaPeriod.objects.filter(period="day"), QuotaPeriod.objects.filter(period=period)

    left = 0 if period == "day" else 5
    assert quota_of(bob.user).remaining == left
    for reservation in running[:4]:
        with reservation:
            reservation.settle(seconds=1, width=1, height=1)
    for reservation in running[4:]:
        with reservation:
            pass
    assert began.get().used == 4
    assert quota_of(bob.user).remaining == (1 if period == "day" else 5)
    for _ in range(1 if period == "day" else 5):
        spend(bob)
    with pytest.raises(QuotaExceeded, match="all 5 pictures"):
        reserve(call(bob))
    assert now.get().used == 5
    assert quota_of(bob.user).remaining == 0


def test_unlimited_is_counted_all_the_same(bob: Account) -> None:
    Plan.objects.filter(slug="free").update(quota=None)
    bob.user.refresh_from_db()
    spend(bob)

    assert quota_of(bob.user).remaining is None
    assert used(bob) == 1


def test_a_dead_process_gives_its_unit_back(bob: Account) -> None:
    reserve(call(bob))  # and the process dies here
    Usage.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    assert reclaim() == 1
    assert reclaim() == 0
    assert used(bob) == 0
    row = Usage.objects.get()
    assert (row.state, row.status, row.code) == ("failed", 500, "interrupted")


def test_a_running_request_keeps_its_unit(bob: Account) -> None:
    reserve(call(bob))

    assert reclaim() == 0
    assert used(bob) == 1


def test_a_lease_that_ran_out_is_taken_anew_at_the_end(bob: Account) -> None:
    with reserve(call(bob)) as reservation:
        Usage.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        reclaim()
        reservation.settle(seconds=1, width=1, height=1)

    assert used(bob) == 1
    assert Usage.objects.get().state == "succeeded"


def test_a_lease_that_ran_out_is_never_oversold(bob: Account) -> None:
    bob.limit(quota=1)
    bob.user.refresh_from_db()
    slow = reserve(call(bob))
    Usage.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    spend(bob)  # finds the stale lease, gives it back and takes the unit

    with pytest.raises(QuotaExceeded), slow:
        slow.settle(seconds=1, width=1, height=1)
    assert used(bob) == 1


def test_nobody_is_charged_for_a_public_call(db: None) -> None:
    with reserve(Call(None, None, "/inpaint", "0" * 32)) as reservation:
        reservation.settle(seconds=1, width=1, height=1)

    assert not Usage.objects.exists()


def test_a_new_period_is_a_new_row(bob: Account) -> None:
    spend(bob)
    QuotaPeriod.objects.update(starts_on=date(2020, 1, 1))
    spend(bob)

    assert used(bob) == 1
    assert QuotaPeriod.objects.filter(user=bob.user).count() == 2


# --- Idempotency-Key -------------------------------------------------------------------------------------------------


def test_a_repeat_is_charged_once_and_has_the_first_answer(bob: Account) -> None:
    spend(bob, "order-7", "same")
    again = spend(bob, "order-7", "same")

    assert again.replayed
    assert again.answer == "the answer"
    assert used(bob) == 1


def test_another_body_under_the_same_key_is_refused(bob: Account) -> None:
    spend(bob, "order-7", "one")

    with pytest.raises(IdempotencyMismatch):
        reserve(call(bob, "order-7"), "other")


def test_a_repeat_while_the_first_runs_is_refused(bob: Account) -> None:
    with reserve(call(bob, "order-7"), "same"), pytest.raises(IdempotencyInProgress):
        reserve(call(bob, "order-7"), "same")


def test_a_failure_frees_the_key(bob: Account) -> None:
    with pytest.raises(MemoryError), reserve(call(bob, "order-7"), "same"):
        raise MemoryError

    assert not spend(bob, "order-7", "same").replayed


def test_a_key_is_forgotten_after_a_day(bob: Account) -> None:
    spend(bob, "order-7", "same")
    Usage.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert not spend(bob, "order-7", "same").replayed
    assert used(bob) == 2


def test_a_repeat_is_answered_when_the_quota_is_spent(bob: Account) -> None:
    bob.limit(quota=1)
    bob.user.refresh_from_db()
    spend(bob, "order-7", "same")

    assert spend(bob, "order-7", "same").replayed


def test_accounts_do_not_share_keys(alice: Account, bob: Account) -> None:
    spend(alice, "order-7", "same")

    assert not spend(bob, "order-7", "same").replayed


def test_who_asks_while_the_first_request_may_still_run_is_told_when_it_cannot(bob: Account, settings: Any) -> None:
    """A process that was killed says nothing; its lease does."""
    settings.RESERVATION_TTL = 200
    reserve(call(bob, "order-7"), "same")
    with pytest.raises(IdempotencyInProgress) as refusal:
        reserve(call(bob, "order-7"), "same")
    assert refusal.value.retry_after in (199, 200)

    Usage.objects.update(lease_expires_at=timezone.now())
    assert not reserve(call(bob, "order-7"), "same").replayed


@pytest.mark.parametrize("answer", ["output_1.png", None])
def test_an_answer_is_remembered_for_a_day_however_long_its_result_lasts(bob: Account, answer: str | None) -> None:
    with reserve(call(bob, "order-7"), "same") as reservation:
        reservation.settle(seconds=1, width=1, height=1, answer=answer)
    Usage.objects.update(created_at=timezone.now() - timedelta(hours=23))
    assert reserve(call(bob, "order-7"), "same").answer == answer
    assert reserve(call(bob, "order-7"), "same").replayed

    Usage.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert not reserve(call(bob, "order-7"), "same").replayed


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7:1", "2001:db8::/64"),
        ("2001:db8:0:0:9::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_is_what_one_client_surely_has(remote: str, address: str) -> None:
    assert metering.address_of(RequestFactory().get("/", REMOTE_ADDR=remote)) == address
    assert Call(None, None, "/inpaint", "0" * 32, address=address).caller == f"address {address}"
