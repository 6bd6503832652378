"""A picture costs what the plan says: N units are spent, given back and never oversold, wherever they come from."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Plan, PlanModel, QuotaGrant, QuotaPeriod, Subscription, Usage
from accounts.prices import ModelNotInPlan, Price, ask, units_for
from accounts.quota import QuotaExceeded, quota_of
from accounts.reservations import Call, forget, reclaim, reserve, reserve_many, resume
from tests.conftest import Account

SD, LAMA = Price("sd", None), Price("lama", 1)
DONE: dict[str, Any] = {"seconds": 1.0, "width": 4, "height": 4}


def call(account: Account, price: Price = SD, key: str | None = None) -> Call:
    account.user.refresh_from_db()
    return Call(account.user, account.key, "/api/v1/remove-watermark", "0" * 32, key, price=price)


def used(account: Account) -> int:
    return quota_of(account.user).used


def give(account: Account, units: int, **fields: Any) -> QuotaGrant:
    return QuotaGrant.objects.create(user=account.user, units=units, reason="tests", **fields)


def taken(grant: QuotaGrant) -> int:
    grant.refresh_from_db()
    return grant.used


@pytest.fixture
def few(alice: Account) -> Account:
    """Alice has two units of her quota, and one each of two grants; a picture costs four."""
    alice.limit(quota=2)
    give(alice, 1, expires_at=timezone.now() + timedelta(days=1))
    give(alice, 1)
    return alice


def test_it_works(alice: Account) -> None:
    with reserve(request := call(alice)) as reservation:
        assert used(alice) == 4
        reservation.settle(**DONE)

    assert (used(alice), request.charged, Usage.objects.get().charged) == (4, 4, 4)


def test_what_a_plan_says_nothing_of_costs_what_is_usual(alice: Account) -> None:
    assert units_for(alice.user, [SD, LAMA, Price("sdxl", None), Price("new", None)]) == {
        **{"sd": 4, "lama": 1, "sdxl": 8},
        "new": None,
    }


def test_a_failure_gives_all_back(alice: Account) -> None:
    with pytest.raises(MemoryError), reserve(call(alice)):
        raise MemoryError

    assert (used(alice), Usage.objects.get().charged) == (0, 0)


def test_what_was_free_gives_all_back(alice: Account) -> None:
    with reserve(call(alice)) as reservation:
        reservation.settle(**DONE, free=True)

    assert (used(alice), Usage.objects.get().charged) == (0, 0)


def test_units_of_several_places_go_back_where_they_came_from(few: Account) -> None:
    first, last = QuotaGrant.objects.live()
    with reserve(call(few)):  # nothing is settled
        row = Usage.objects.get()
        assert (row.charged, row.quota_grant, row.origins) == (4, None, [[None, 2], [first.pk, 1], [last.pk, 1]])
        assert quota_of(few.user).remaining == 0

    period = QuotaPeriod.objects.get()
    assert (period.used, period.granted, taken(first), taken(last)) == (0, 0, 0, 0)
    assert quota_of(few.user).remaining == 4


def test_of_one_grant_alone(alice: Account) -> None:
    alice.limit(quota=0)
    grant = give(alice, 5)
    with reserve(call(alice)):  # nothing is settled
        row = Usage.objects.get()
        assert (row.quota_grant, row.origins, taken(grant)) == (grant, None, 4)

    assert (taken(grant), used(alice)) == (0, 0)


def test_a_process_that_dies_gives_all_back_once(few: Account) -> None:
    reserve(call(few))
    Usage.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    assert [reclaim(), reclaim()] == [1, 0]
    assert quota_of(few.user).remaining == 4
    assert [grant.used for grant in QuotaGrant.objects.all()] == [0, 0]


def test_a_lease_that_ran_out_is_taken_anew_for_what_it_cost(few: Account) -> None:
    with reserve(call(few)) as reservation:
        Usage.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        assert reclaim() == 1
        PlanModel.objects.filter(model="sd").update(units=1)
        reservation.settle(**DONE)

    row = Usage.objects.get()
    assert (row.state, row.charged, sum(units for _, units in row.origins or [])) == ("succeeded", 4, 4)
    assert quota_of(few.user).remaining == 0


@pytest.mark.parametrize("left", [1, 3])
def test_fewer_units_than_a_picture_costs_are_refused_and_left(alice: Account, left: int) -> None:
    alice.limit(quota=left)
    said = f"a picture costs 4 units with this model, and this month's quota has {left} left"
    with pytest.raises(QuotaExceeded, match=said):
        reserve(call(alice))

    assert used(alice) == 0
    with reserve(call(alice, LAMA)) as reservation:
        reservation.settle(**DONE)
    assert used(alice) == 1


def test_a_model_that_is_not_on_the_plan(bob: Account) -> None:
    with pytest.raises(ModelNotInPlan, match="The model sd is not on the plan Free"):
        reserve(call(bob))

    assert not Usage.objects.exists()
    assert used(bob) == 0


def test_a_row_without_units_takes_a_model_off(alice: Account) -> None:
    PlanModel.objects.create(plan=Plan.objects.get(slug="pro"), model="lama", units=None)

    with pytest.raises(ModelNotInPlan):
        reserve(call(alice, LAMA))


def test_a_test_key_may_do_what_its_plan_may_and_pays_nothing(alice: Account, bob: Account) -> None:
    for account in (alice, bob):
        request = call(account)
        request.is_test = True
        if account is bob:
            with pytest.raises(ModelNotInPlan):
                reserve(request)
        else:
            with reserve(request) as reservation:
                reservation.settle(**DONE)
            assert (request.charged, used(account)) == (0, 0)


def test_a_repeat_is_answered_after_a_downgrade(alice: Account) -> None:
    with reserve(call(alice, key="once"), "same") as reservation:
        reservation.settle(**DONE, answer="the answer")
    Subscription.objects.filter(user=alice.user).update(plan=Plan.objects.get(slug="free"))

    again = reserve(call(alice, key="once"), "same")

    assert (again.replayed, again.answer) == (True, "the answer")
    with pytest.raises(ModelNotInPlan):
        reserve(call(alice))


def test_the_public_gets_what_costs_one_unit_and_the_default(db: None) -> None:
    assert (ask(None, LAMA), ask(None, Price("sd", None, is_default=True))) == (1, 1)
    with pytest.raises(ModelNotInPlan, match="calls without an account"):
        reserve(Call(None, None, "/inpaint", "0" * 32, price=SD))


def test_many_are_forgotten_to_where_they_came_from(alice: Account) -> None:
    alice.limit(quota=6)
    grant = give(alice, 9)
    rows = reserve_many(call(alice), 3)
    assert [row.origins for row in rows] == [None, [[None, 2], [grant.pk, 2]], None]
    assert (taken(grant), QuotaPeriod.objects.get().granted) == (6, 6)

    forget(Usage.objects.all())

    period = QuotaPeriod.objects.get()
    assert (taken(grant), period.used, period.granted) == (0, 0, 0)


@pytest.mark.parametrize(("units", "pictures"), [(4, 1), (7, 1), (8, 2), (11, 2), (12, 3), (99, 3)])
def test_partial_pays_pictures_in_full(alice: Account, units: int, pictures: int) -> None:
    alice.limit(quota=3)
    grant = give(alice, units - 3)

    rows = reserve_many(call(alice), 3, partial=True)

    assert len(rows) == pictures
    assert used(alice) == 4 * pictures
    assert taken(grant) == 4 * pictures - 3
    for row in rows:
        resume(row).__exit__(None, None, None)
    assert (used(alice), taken(grant)) == (0, 0)


def test_partial_of_nothing_is_refused(alice: Account) -> None:
    alice.limit(quota=3)
    with pytest.raises(QuotaExceeded), transaction.atomic():
        reserve_many(call(alice), 3, partial=True)

    assert used(alice) == 0


def test_a_cap_counts_pictures(alice: Account) -> None:
    alice.key.cap = 1
    alice.key.save()
    reserve(call(alice))

    with pytest.raises(QuotaExceeded, match="all 1 pictures that this key"):
        reserve(call(alice))
    assert used(alice) == 4


def test_a_model_is_never_free(db: None) -> None:
    with pytest.raises(IntegrityError):
        PlanModel.objects.create(plan=Plan.objects.get(slug="pro"), model="lama", units=0)


@pytest.fixture
def threads() -> Iterator[list[Thread]]:
    started: list[Thread] = []
    yield started
    for thread in started:
        thread.join()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(("left", "winners"), [(3, 0), (7, 1), (8, 2)])
def test_a_race_is_never_oversold(left: int, winners: int, threads: list[Thread]) -> None:
    racer = Account("racer@example.org", "pro")
    racer.limit(quota=2)
    grant = give(racer, left - 2)
    outcomes: list[str] = []

    def run() -> None:
        try:
            with reserve(Call(racer.user, racer.key, "/api/v1/remove-watermark", "0" * 32, price=SD)) as reservation:
                reservation.settle(**DONE)
            outcomes.append("done")
        except QuotaExceeded:
            outcomes.append("refused")
        finally:
            connection.close()

    racer.user.refresh_from_db()
    threads += [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done"] * winners + ["refused"] * (4 - winners)
    assert used(racer) == 4 * winners
    assert taken(grant) == max(0, 4 * winners - 2)
