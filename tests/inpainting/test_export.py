"""Pictures in an account's export: as they are stored, and what is said of those that cannot be read."""

from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, storages

from accounts import export
from inpainting import storage
from inpainting.batches.work import Worker
from inpainting.images import SizeLimit
from inpainting.models import Result, Upload
from inpainting.saved_marks import keeping
from inpainting.saved_marks.saved import mask_of
from tests import pictures
from tests.accounts.test_export import read, rows
from tests.conftest import Account
from tests.inpainting.batches.conftest import IMAGE, PHOTO, submit


def test_pictures_are_there_to_the_byte(where: None, alice: Account, bob: Account) -> None:
    storage.put_result(b"bob's", bob.user)
    batch = submit(alice, 2)
    kept = storage.put_upload(IMAGE, Upload.Kind.IMAGE, alice.user)
    assert Worker().work_next()
    files = read(export.stream(alice.user))

    result = Result.objects.get(owner=alice.user)
    assert files[f"pictures/results/{result.name}"] == storage.read_result(result)
    waiting = batch.items.get(state="queued").image
    assert waiting is not None
    for stored in (kept, waiting):
        assert files[f"pictures/uploads/{stored.name}.png"] == IMAGE
    pictures = {name for name in files if name.startswith("pictures/")}
    assert len(pictures) == Upload.objects.filter(owner=alice.user).count() + 1
    assert "missing.json" not in files
    assert "NOT COMPLETE" not in files["README.txt"].decode()


def test_a_file_that_is_gone_is_named_and_the_rest_is_there(where: None, alice: Account) -> None:
    gone, there = (storage.put_result(b"a picture", alice.user) for _ in range(2))
    storages["results"].delete(gone.name)
    files = read(export.stream(alice.user))

    assert files[f"pictures/results/{there.name}"] == b"a picture"
    [missing] = rows(files, "missing.json")
    assert missing == {"folder": "pictures/results", "name": gone.name, "reason": "No such result: its file is gone."}
    assert "NOT COMPLETE: 1 picture could not be read" in files["README.txt"].decode()


def test_a_storage_that_goes_away_halfway_is_asked_once_more(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [storage.put_result(b"a picture", alice.user).name for _ in range(4)]
    upload = storage.put_upload(IMAGE, Upload.Kind.IMAGE, alice.user)
    asked: list[str] = []
    really = FileSystemStorage._open  # type: ignore[attr-defined] # missing in the stubs

    def goes_away(disk: FileSystemStorage, name: str, mode: str = "rb") -> Any:
        asked.append(name)
        if len(asked) > 2:
            raise TimeoutError("no answer")
        return really(disk, name, mode)

    monkeypatch.setattr(FileSystemStorage, "_open", goes_away)
    files = read(export.stream(alice.user))

    assert asked == [upload.name, *results[:2]]
    assert files[f"pictures/results/{results[0]}"] == b"a picture"
    assert [row["name"] for row in rows(files, "missing.json")] == results[1:]
    assert {row["reason"] for row in rows(files, "missing.json")} == {"The storage could not be reached."}
    assert len(rows(files, "results.json")) == 4
    assert "NOT COMPLETE: 3 pictures could not be read" in files["README.txt"].decode()


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "avif"])
def test_a_picture_has_the_ending_of_its_format(alice: Account, format: str) -> None:
    upload = storage.put_upload(pictures.file(PHOTO, format).getvalue(), Upload.Kind.IMAGE, alice.user)
    ending = {"jpeg": "jpg"}.get(format, format)

    assert f"pictures/uploads/{upload.name}.{ending}" in read(export.stream(alice.user))


def test_a_mark_that_a_batch_shares_is_no_picture(alice: Account) -> None:
    mark = storage.put_upload(b"numbers", Upload.Kind.MARK, alice.user)
    files = read(export.stream(alice.user))

    assert [row["name"] for row in rows(files, "uploads.json")] == [mark.name]
    assert not [name for name in files if name.startswith("pictures/")]


def test_a_saved_mark_is_there_with_its_place(where: None, alice: Account, bob: Account) -> None:
    saved = mask_of(pictures.file(pictures.box_mask()).getvalue(), SizeLimit.of(None, None), "top-left", "pixels")
    mark = keeping.keep(alice.user, "Our corner", saved)
    keeping.keep(bob.user, "Bob's", saved)
    files = read(export.stream(alice.user))

    [row] = rows(files, "saved_marks.json")
    assert (row["title"], row["place"]["anchor"]) == ("Our corner", "top-left")
    assert {name for name in files if name.startswith("pictures/marks/")} == {f"pictures/marks/{mark.name}.png"}
    assert files[f"pictures/marks/{mark.name}.png"] == saved.file
