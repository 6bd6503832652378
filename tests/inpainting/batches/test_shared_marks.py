"""Who computes the mark that a batch's pictures share, and what becomes of the others meanwhile and after failures."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from accounts.reservations import Call
from inpainting import engine, storage
from inpainting.batches import claims, shared_marks
from inpainting.batches.accept import Order, Source, accept
from inpainting.batches.closing import cancel
from inpainting.batches.models import Batch, Item
from inpainting.batches.shared_marks import MarkAwaited
from inpainting.batches.work import Worker
from inpainting.engine import SharedMark, Shot
from inpainting.engine.crops.boxes import Box
from inpainting.engine.shared_mark import Frame
from inpainting.models import Upload
from inpainting.options import Options
from tests import pictures
from tests.conftest import Account
from tests.inpainting.batches.conftest import IMAGE, LIMIT

State, Mark = Item.State, Batch.Mark
MARK = SharedMark(
    Frame(32, 48, 0, 0), Box(8, 8, 12, 12), np.full((4, 4), 0.5, np.float32), np.full((4, 4, 3), 0.4, np.float32)
)


@pytest.fixture
def batch(alice: Account) -> Batch:
    call = Call(alice.user, alice.key, "/api/v1/batch", "0" * 32)
    sources = [Source(f"{number}.png", lambda: IMAGE) for number in range(8)]
    return accept(call, sources, Order(Options(model="patchmatch"), shared_mark=True), LIMIT)


def claimed() -> Item:
    item = claims.claim()
    assert item is not None
    return item


def answer(monkeypatch: pytest.MonkeyPatch, mark: SharedMark | None) -> list[int]:
    """What the engine says, and of how many pictures it was asked."""
    asked: list[int] = []

    def shared_mark(shots: list[Shot]) -> SharedMark | None:
        asked.append(len(shots))
        for shot in shots:
            assert shot.read().shape[:2] == (shot.height, shot.width)
        return mark

    monkeypatch.setattr(engine, "shared_mark", shared_mark)
    return asked


def test_it_works(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, MARK)
    first, second = claimed(), claimed()
    marks = [shared_marks.mark_of(item) for item in (first, second)]

    batch.refresh_from_db()
    assert asked == [8]
    assert batch.mark_state == Mark.FOUND
    assert [mark and mark.box for mark in marks] == [MARK.box] * 2


def test_others_wait_while_it_is_computed(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = claimed(), claimed()

    def meanwhile(shots: list[Shot]) -> SharedMark:
        with pytest.raises(MarkAwaited):
            shared_marks.mark_of(second)
        claims.hand_back(second, after=5)
        assert claims.claim() is None
        return MARK

    monkeypatch.setattr(engine, "shared_mark", meanwhile)
    assert shared_marks.mark_of(first) is not None
    assert claimed() == second


def test_a_worker_that_dies_of_it(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(shots: list[Shot]) -> SharedMark:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(engine, "shared_mark", killed)
        first = claimed()
        with pytest.raises(Killed):
            shared_marks.mark_of(first)
    asked = answer(monkeypatch, MARK)
    Item.objects.filter(pk=first.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    assert shared_marks.mark_of(claimed()) is not None
    assert asked == [8]


def test_workers_that_die_of_it_again_and_again(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, MARK)
    Batch.objects.update(estimates=shared_marks.MOST_ESTIMATES)

    assert shared_marks.mark_of(claimed()) is None
    assert asked == []


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError()])
def test_a_failure_lets_each_picture_be_cleaned_by_itself(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(shots: list[Shot]) -> SharedMark:
        raise error

    monkeypatch.setattr(engine, "shared_mark", failing)
    assert shared_marks.mark_of(claimed()) is None
    assert shared_marks.mark_of(claimed()) is None


def test_a_storage_that_is_away_is_asked_again(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, MARK)
    with monkeypatch.context() as away:
        away.setattr(storage, "put_upload", lambda *_: (_ for _ in ()).throw(storage.StorageUnavailable()))
        assert Worker().work_next()
    batch.refresh_from_db()
    assert (batch.mark_state, batch.estimates) == (Mark.WANTED, 0)

    assert shared_marks.mark_of(claimed()) is not None
    assert asked == [8, 8]


def test_a_damaged_picture_is_left_out(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, MARK)
    item = batch.items.select_related("image").get(index=3)
    damaged = pictures.file(pictures.photo(48, 32), "JPEG").getvalue()[:-60]
    read = storage.read
    monkeypatch.setattr(storage, "read", lambda upload: damaged if upload == item.image else read(upload))

    assert shared_marks.mark_of(claimed()) is not None
    assert asked == [8, 7]


def test_its_file_goes_with_the_batch(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, MARK)
    shared_marks.mark_of(claimed())
    assert Upload.objects.filter(kind=Upload.Kind.MARK).count() == 1
    assert not Upload.objects.filter(kind=Upload.Kind.MARK).unneeded().exists()

    cancel(batch)
    assert not Upload.objects.exists()
