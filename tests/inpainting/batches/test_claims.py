"""Whose item is next, and who may write what became of it."""

import threading
from datetime import datetime, timedelta

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Plan, Usage
from accounts.quota import quota_of
from inpainting import service
from inpainting.batches import claims, closing
from inpainting.batches.models import Item
from inpainting.batches.work import Worker
from inpainting.models import Result, Upload
from inpainting.removal import Job
from tests.conftest import Account
from tests.inpainting.batches.conftest import submit

State = Item.State


def claimed() -> Item:
    item = claims.claim()
    assert item is not None
    return item


@pytest.mark.parametrize(
    ("stage", "index"), [(claims.WORK, "items_to_work"), (claims.FETCH, "items_to_fetch")], ids=["work", "fetch"]
)
def test_each_stage_looks_through_no_other_ones_items(db: None, stage: claims.Stage, index: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what tables hold: see benchmarks.batches --plans")
    with connection.cursor() as cursor:
        for sql in (claims.NEXT_LINE, claims.CLAIM):
            text = sql.format(**stage._asdict())
            cursor.execute(f"EXPLAIN QUERY PLAN {text}", [1] * text.count("%s"))
            assert f"USING INDEX {index}" in str(cursor.fetchall()).replace("COVERING ", "")


def let_leases_run_out() -> None:
    Item.objects.filter(state=State.RUNNING).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_it_works(alice: Account) -> None:
    batch = submit(alice)
    item = claimed()

    assert (item.batch, item.index, item.state, item.attempt) == (batch, 0, State.RUNNING, 1)
    assert item.lease_expires_at is not None
    assert item.lease_expires_at > timezone.now()
    assert claimed().index == 1
    assert claims.claim() is None


def test_accounts_take_turns(alice: Account, bob: Account) -> None:
    Plan.objects.update(concurrent_items=None)
    submit(alice, 3)
    submit(alice, 1)
    submit(bob, 2)

    order = [(item.owner_id == bob.user.pk, item.index) for item in (claimed() for _ in range(6))]
    assert sorted(order[:2]) == [(False, 0), (True, 0)]
    assert sorted(order[2:4]) == [(False, 1), (True, 1)]
    assert order[4:] == [(False, 2), (False, 0)]  # the older batch first


def test_no_more_at_once_than_the_plan_allows(bob: Account, alice: Account) -> None:
    submit(bob, 3)
    submit(alice, 1)
    first = [claimed(), claimed()]

    assert {item.owner_id for item in first} == {bob.user.pk, alice.user.pk}
    assert claims.claim() is None  # Free: one at once
    service.work(next(item for item in first if item.owner_id == bob.user.pk))
    assert claimed().owner_id == bob.user.pk
    bob.limit(concurrent_items=2)
    assert claimed().owner_id == bob.user.pk


def test_a_dead_workers_item_goes_to_another(alice: Account) -> None:
    submit(alice, 1)
    dead = claimed()
    assert claims.claim() is None
    let_leases_run_out()
    living = claimed()

    assert (living.pk, living.attempt, living.setbacks) == (dead.pk, 2, 1)
    service.work(living)
    assert Item.objects.get().state == State.SUCCEEDED


def test_who_was_thought_dead_changes_nothing(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(alice, 1)
    slow, clean = claimed(), service.clean

    def stall(job: Job, *, is_test: bool) -> service.Cleaned:
        monkeypatch.setattr(service, "clean", clean)
        let_leases_run_out()
        service.work(claimed())
        return clean(job)

    monkeypatch.setattr(service, "clean", stall)
    with pytest.raises(claims.Superseded):
        service.work(slow)

    item = Item.objects.get()
    assert (item.state, item.attempt) == (State.SUCCEEDED, 2)
    assert Result.objects.get() == item.result
    assert len(list((storages["results"].listdir("."))[1])) == 1
    assert quota_of(alice.user).used == Usage.objects.get().charged == 1


def test_an_item_that_kills_its_workers_fails_at_last(alice: Account) -> None:
    submit(alice, 1)
    for _ in range(claims.MOST_SETBACKS):
        claimed()
        let_leases_run_out()

    assert claims.claim() is None
    item = Item.objects.get()
    assert (item.state, item.error["code"], item.attempt) == (State.FAILED, "interrupted", claims.MOST_SETBACKS)  # type: ignore[index]
    assert quota_of(alice.user).used == 0
    row = Usage.objects.get()
    assert (row.state, row.status, row.code, row.charged) == ("failed", 500, "interrupted", 0)


def test_a_lease_is_renewed_while_the_picture_is_worked_on(
    alice: Account, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ITEM_LEASE = 0.03
    submit(alice, 1)
    item, renewed = claimed(), threading.Event()

    class Row:
        def update(self, lease_expires_at: datetime) -> int:
            renewed.set()
            return 1

    monkeypatch.setattr(claims, "_own", lambda item: Row())  # another thread does not see the test's transaction
    with claims.leased(item):
        assert renewed.wait(10)


def test_a_cancelled_picture_is_not_written(alice: Account) -> None:
    batch = submit(alice, 1)
    item = claimed()
    closing.cancel(batch)

    with pytest.raises(claims.Superseded):
        claims.end(item, State.SUCCEEDED)
    assert quota_of(alice.user).used == 0
    assert not Result.objects.exists() | Upload.objects.exists() | Usage.objects.exists()


def test_handed_back_is_nobodys_fault(alice: Account) -> None:
    submit(alice, 1)
    item = claimed()
    claims.hand_back(item)
    again = claimed()

    assert (again.pk, again.attempt, again.setbacks) == (item.pk, 2, 0)


def test_a_worker_that_is_stopped_hands_back_what_does_not_end(alice: Account) -> None:
    submit(alice, 1)
    worker = Worker()
    worker._item = claimed()
    worker._thread.is_alive = lambda: True  # type: ignore[method-assign]
    worker._thread.join = lambda timeout=None: None  # type: ignore[method-assign]
    worker.stop()

    assert Item.objects.get().state == State.QUEUED
