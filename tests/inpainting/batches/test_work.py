"""What becomes of an item: done, failed for good, or tried again later."""

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import Usage
from accounts.quota import quota_of
from inpainting import engine, service, storage
from inpainting.batches import claims
from inpainting.batches.models import Batch, Item
from inpainting.batches.work import Worker
from inpainting.engine.queue import turns
from inpainting.models import Result, Upload
from inpainting.removal import Job
from tests.conftest import Account
from tests.inpainting.batches.conftest import submit

State = Item.State


def fail(monkeypatch: pytest.MonkeyPatch, where: str, error: Exception) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(where, failing)


def test_it_works(alice: Account) -> None:
    submit(alice, 1)
    worker = Worker()

    assert worker.work_next()
    assert Item.objects.get().state == State.SUCCEEDED
    assert not worker.work_next()


def test_a_batch_waits_for_the_engine_until_nobody_else_does(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(alice, 1)
    callers, clean = [], service.clean

    def seen(job: Job, *, is_test: bool) -> service.Cleaned:
        callers.append(turns.CALLER.get())
        return clean(job)

    monkeypatch.setattr(service, "clean", seen)
    Worker().work_next()

    assert [caller.patient for caller in callers] == [True]


@pytest.mark.parametrize(
    ("where", "error", "code"),
    [
        ("inpainting.storage.read", storage.StorageUnavailable(), "storage_unavailable"),
        ("inpainting.storage.put_result", storage.StorageUnavailable(), "storage_unavailable"),
        ("inpainting.engine.inpaint", engine.EngineUnavailable("no weights"), "engine_unavailable"),
        ("inpainting.engine.inpaint", OperationalError("gone"), "database_unavailable"),
    ],
)
def test_what_is_away_is_tried_again_later_and_fails_at_last(
    alice: Account, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception, code: str
) -> None:
    submit(alice, 1)
    with monkeypatch.context() as away:
        fail(away, where, error)
        assert Worker().work_next()
        item = Item.objects.get()
        assert (item.state, item.setbacks) == (State.QUEUED, 1)
        assert item.available_at > timezone.now()
        assert claims.claim() is None
        for _ in range(claims.MOST_SETBACKS - 1):
            Item.objects.update(available_at=timezone.now())
            assert Worker().work_next()

    item = Item.objects.get()
    assert item.error is not None
    assert (item.state, item.error["code"]) == (State.FAILED, code)
    assert quota_of(alice.user).used == 0
    assert Usage.objects.get().code == code
    assert Upload.objects.count() == 2  # kept to be tried again
    assert not Result.objects.exists()


def test_storage_that_comes_back(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(alice, 1)
    with monkeypatch.context() as away:
        fail(away, "inpainting.storage.put_result", storage.StorageUnavailable())
        Worker().work_next()
    Item.objects.update(available_at=timezone.now())
    Worker().work_next()

    assert Item.objects.get().state == State.SUCCEEDED
    assert quota_of(alice.user).used == 1


def test_a_busy_engine_is_no_setback(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(alice, 1)
    fail(monkeypatch, "inpainting.engine.inpaint", engine.EngineBusy(7))
    Worker().work_next()

    item = Item.objects.get()
    assert (item.state, item.setbacks) == (State.QUEUED, 0)
    assert 6 < (item.available_at - timezone.now()).total_seconds() <= 7


def test_a_storage_that_fails_at_acceptance_leaves_nothing(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    put, puts = storage.put_upload, []

    def full_at_the_third(*arguments: object) -> Upload:
        puts.append(arguments)
        if len(puts) == 3:
            raise storage.StorageUnavailable
        return put(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(storage, "put_upload", full_at_the_third)
    with pytest.raises(storage.StorageUnavailable):
        submit(alice, 3)

    assert not Upload.objects.exists() | Batch.objects.exists() | Usage.objects.exists()
    assert quota_of(alice.user).used == 0
