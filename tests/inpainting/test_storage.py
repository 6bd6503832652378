"""Uploads and results on local files and, where it can be run, on S3 (SeaweedFS)."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from inpainting import storage
from inpainting.models import Result, Upload


def test_it_works(where: None) -> None:
    upload = storage.put_upload(b"a picture", Upload.Kind.IMAGE, None)

    assert storage.read_upload(UUID(upload.name), Upload.Kind.IMAGE, None) == b"a picture"


def test_a_result_streams(where: None) -> None:
    data = b"0123456789" * 300_000
    result = storage.put_result(data, None)

    response = storage.stream(storage.find_result(result.name))
    blocks = list(response)
    assert b"".join(blocks) == data
    assert max(len(block) for block in blocks) <= 1 << 16


def test_a_lost_file_is_not_there(where: None) -> None:
    upload = storage.put_upload(b"a picture", Upload.Kind.MASK, None)
    result = storage.put_result(b"a picture", None)
    storages["uploads"].delete(upload.name)
    storages["results"].delete(result.name)

    with pytest.raises(storage.NotThere):
        storage.read_upload(UUID(upload.name), Upload.Kind.MASK, None)
    with pytest.raises(storage.NotThere):
        storage.stream(result)


def test_the_sweep_takes_what_expired_and_leaves_the_rest(where: None) -> None:
    old, new = (storage.put_result(b"a picture", None) for _ in range(2))
    Result.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert storage.delete_expired() == 1
    assert not storages["results"].exists(old.name)
    assert storages["results"].exists(new.name)


def test_the_sweep_goes_on_past_a_file_that_fails(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [storage.put_result(b"a picture", None).name for _ in range(2)]
    Result.objects.update(expires_at=timezone.now())
    delete = storages["results"].delete

    def fail_once(name: str) -> None:
        if name == names[0]:
            raise OSError("busy")
        delete(name)

    monkeypatch.setattr(storages["results"], "delete", fail_once)

    assert storage.delete_expired() == 1
    assert [result.name for result in Result.objects.all()] == names[:1]  # found again next time


def test_health_writes_to_both_and_leaves_nothing(where: None, db: None) -> None:
    storage.put_upload(b"a picture", "image", None)  # so that there is something to list
    before = storages["uploads"].listdir("")
    storage.check()

    assert storages["uploads"].listdir("") == before


def test_health_notices_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(name: str, content: Any) -> str:
        raise OSError("No space left on device")

    monkeypatch.setattr(storages["results"], "_save", full_disk)

    with pytest.raises(storage.StorageUnavailable):
        storage.check()


def test_a_half_written_file_is_removed(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full_disk(name: str, content: Any) -> str:
        (tmp_path / "results").mkdir()
        (tmp_path / "results" / name).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(storages["results"], "_save", full_disk)

    with pytest.raises(storage.StorageUnavailable):
        storage.put_result(b"a picture", None)
    assert not Result.objects.exists()
    assert not list((tmp_path / "results").iterdir())
