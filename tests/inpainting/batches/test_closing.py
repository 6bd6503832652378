"""How batches go: with their time, with their account, and what a worker that died left behind."""

from datetime import timedelta

from django.core.files.storage import storages
from django.utils import timezone

from accounts.deletion import delete_account
from accounts.models import Usage
from inpainting import expiry, storage
from inpainting.batches.claims import claim
from inpainting.batches.models import Batch, Item
from inpainting.batches.work import Worker
from inpainting.models import Result, Upload
from tests.conftest import Account
from tests.inpainting.batches.conftest import submit


def files() -> int:
    return sum(len(storages[alias].listdir(".")[1]) for alias in ("uploads", "results") if storages[alias].exists("."))


def let_all_expire() -> None:
    past = timezone.now() - timedelta(seconds=1)
    for model in (Batch, Upload, Result):
        model.objects.update(expires_at=past)


def test_it_works(alice: Account) -> None:
    submit(alice)
    while Worker().work_next():
        pass
    assert (Result.objects.count(), files()) == (2, 2)
    let_all_expire()

    swept = expiry.sweep()
    assert (swept.batches, files()) == (1, 0)
    assert not Batch.objects.exists() | Item.objects.exists() | Result.objects.exists()
    assert Usage.objects.filter(charged=1).count() == 2  # statistics stay


def test_what_still_waits_keeps_its_inputs_however_old(alice: Account) -> None:
    submit(alice)
    let_all_expire()
    expiry.sweep()

    assert (Batch.objects.count(), Upload.objects.count()) == (1, 3)
    while Worker().work_next():
        pass
    assert Item.objects.filter(state="succeeded").count() == 2


def test_leftovers_of_a_worker_that_died(alice: Account) -> None:
    """One stored a result and did not write its end; one wrote its end and did not delete the inputs."""
    submit(alice)
    dead = claim()
    assert dead is not None
    storage.put_result(b"half the story", alice.user, item=dead)
    Item.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    while Worker().work_next():
        pass
    item = Item.objects.get(index=0)
    item.image = storage.put_upload(b"an input", Upload.Kind.IMAGE, alice.user)
    item.save()
    assert (Result.objects.count(), Upload.objects.count()) == (3, 1)

    expiry.sweep()
    assert {result.item_id for result in Result.objects.all()} == set(Item.objects.values_list("pk", flat=True))
    assert (Result.objects.count(), Upload.objects.count(), files()) == (2, 0, 2)


def test_what_runs_is_no_leftover(alice: Account) -> None:
    submit(alice, 1)
    running = claim()
    assert running is not None
    storage.put_result(b"just made", alice.user, item=running)
    expiry.sweep()

    assert (Result.objects.count(), Upload.objects.count()) == (1, 2)


def test_a_deleted_account_leaves_nothing(alice: Account) -> None:
    submit(alice)
    Worker().work_next()
    delete_account(alice.user)

    assert files() == 0
    assert not Batch.objects.exists() | Item.objects.exists() | Result.objects.exists() | Upload.objects.exists()
    assert [row.state for row in Usage.objects.all()] == ["succeeded"]
