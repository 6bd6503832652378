"""manage.py inpaint: one picture, or a folder of them, without a server."""

import errno
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import ExifTags, Image

from inpainting import masks
from inpainting.engine import Detection, Trust
from inpainting.engine.interface import Plane
from tests import pictures

PHOTO, MASK = pictures.photo(), pictures.box_mask()
LIKELY: Plane = (MASK > 0).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(pictures.file(PHOTO).getvalue())
    (tmp_path / "mask.png").write_bytes(pictures.file(MASK).getvalue())
    return tmp_path


def inpaint(image: Path, mask: Path, output: Path, **options: object) -> None:
    call_command("inpaint", str(image), str(mask), "-o", str(output), **options)


def test_it_works(folder: Path) -> None:
    inpaint(folder / "photo.png", folder / "mask.png", folder / "clean.png")

    result = np.asarray(Image.open(folder / "clean.png"))
    np.testing.assert_array_equal(result[MASK == 0], PHOTO[MASK == 0])
    assert (result[MASK > 0] != PHOTO[MASK > 0]).any()


@pytest.mark.parametrize(("name", "format"), [("a.webp", "WEBP"), ("a.JPG", "JPEG"), ("a.avif", "AVIF")])
def test_the_outputs_name_chooses_the_format(folder: Path, name: str, format: str) -> None:
    inpaint(folder / "photo.png", folder / "mask.png", folder / name)

    assert Image.open(folder / name).format == format


@pytest.mark.parametrize(("options", "kept"), [({}, False), ({"metadata": "keep"}, True)])
def test_exif(folder: Path, options: dict[str, str], kept: bool) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Alice"
    Image.fromarray(PHOTO).save(folder / "photo.jpg", exif=exif.tobytes())
    inpaint(folder / "photo.jpg", folder / "mask.png", folder / "clean.png", **options)

    assert (ExifTags.Base.Artist in Image.open(folder / "clean.png").getexif()) == kept


def test_a_folder_and_one_mask(folder: Path) -> None:
    photos = folder / "photos"
    photos.mkdir()
    for name in ("a.png", "b.jpg", "c.webp", "d.avif"):
        Image.fromarray(PHOTO).save(photos / name)
    for name in ("e.heic", "f.HEIF"):
        (photos / name).write_bytes(pictures.file(PHOTO, "HEIF").getvalue())
    (photos / "notes.txt").write_text("no picture")
    inpaint(photos, folder / "mask.png", folder / "clean")

    assert sorted(path.stem for path in (folder / "clean").iterdir()) == list("abcdef")
    assert {path.suffix for path in (folder / "clean").iterdir()} == {".png"}


def test_two_of_one_name_do_not_overwrite_each_other(folder: Path) -> None:
    photos = folder / "photos"
    photos.mkdir()
    for name in ("a.png", "a.jpg"):
        Image.fromarray(PHOTO).save(photos / name)
    inpaint(photos, folder / "mask.png", folder / "clean")

    assert sorted(path.name for path in (folder / "clean").iterdir()) == ["a.jpg.png", "a.png.png"]


def test_one_bad_picture_of_a_folder_does_not_stop_the_others(folder: Path) -> None:
    photos = folder / "photos"
    photos.mkdir()
    (photos / "a.png").write_bytes(b"no picture")
    Image.fromarray(PHOTO).save(photos / "b.png")

    with pytest.raises(CommandError, match="1 could not be cleaned"):
        inpaint(photos, folder / "mask.png", folder / "clean")
    assert [path.name for path in (folder / "clean").iterdir()] == ["b.png"]


@pytest.mark.parametrize(
    ("image", "mask", "output", "message"),
    [
        ("photo.png", "nothing.png", "clean.png", "No such file"),
        ("photo.png", "mask.png", "clean.gif", "must end in"),
        ("photo.png", "mask.png", "no/where/clean.png", "There is no folder"),
    ],
)
def test_refusals_are_one_line(folder: Path, image: str, mask: str, output: str, message: str) -> None:
    before = sorted(folder.iterdir())
    with pytest.raises(CommandError, match=message):
        inpaint(folder / image, folder / mask, folder / output)

    assert sorted(folder.iterdir()) == before  # nothing half-written


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        ("nothing.png", "mask.png", "No such file"),
        ("mask.png", "photo.png", "covers the whole picture"),
        ("photo.png", "masks", "no masks of its name are in"),
    ],
)
def test_a_picture_that_cannot_be_cleaned_is_one_line(folder: Path, image: str, mask: str, message: str) -> None:
    (folder / "masks").mkdir()
    (folder / "masks" / "other.png").write_bytes(pictures.file(MASK).getvalue())
    before = sorted(folder.iterdir())
    with pytest.raises(CommandError, match=message) as refused:
        inpaint(folder / image, folder / mask, folder / "clean.png")

    assert "\n" not in str(refused.value)
    assert sorted(folder.iterdir()) == before


def test_hidden_files_are_left_alone(folder: Path) -> None:
    photos = folder / "photos"
    photos.mkdir()
    Image.fromarray(PHOTO).save(photos / "a.png")
    (photos / "._a.png").write_bytes(b"what macOS knows of a.png")
    (photos / "folder.png").mkdir()
    said = io.StringIO()
    inpaint(photos, folder / "mask.png", folder / "clean", stdout=said)

    assert [path.name for path in (folder / "clean").iterdir()] == ["a.png"]
    first, last = said.getvalue().splitlines()
    assert first.startswith(f"{photos / 'a.png'}: 320 pixels cleaned in ")
    assert last == f"1 of 1 pictures are in {folder / 'clean'}"


def test_a_folder_of_masks_is_matched_by_name(folder: Path) -> None:
    photos, marks = folder / "photos", folder / "masks"
    photos.mkdir()
    marks.mkdir()
    for name in ("a.jpg", "b.png", "c.png"):
        Image.fromarray(PHOTO).save(photos / name)
    elsewhere = pictures.box_mask(box=(5, 5, 15, 15))
    for name, mask in [("a.png", MASK), ("b.png", elsewhere), ("._c.png", MASK), ("d.png", MASK)]:
        Image.fromarray(mask).save(marks / name)
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 could not be cleaned"):
        inpaint(photos, marks, folder / "clean", stderr=said)

    assert sorted(path.name for path in (folder / "clean").iterdir()) == ["a.png", "b.png"]
    assert said.getvalue() == f"{photos / 'c.png'}: no masks of its name are in {marks}; one is expected.\n"
    changed = (np.asarray(Image.open(folder / "clean" / "b.png")) != PHOTO).any(axis=2)
    assert changed.any()
    assert not changed[elsewhere == 0].any()


@pytest.mark.parametrize("output", ["photos", "photos/../photos", "masks"])
def test_results_never_overwrite_what_is_read(folder: Path, output: str) -> None:
    for name in ("photos", "masks"):
        (folder / name).mkdir()
        Image.fromarray(MASK).save(folder / name / "a.png")

    with pytest.raises(CommandError, match="is read from"):
        inpaint(folder / "photos", folder / "masks", folder / output)


def test_an_output_folder_that_cannot_be_written_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before any picture is read. Root may write anywhere, so that the disk is said to be full."""
    (folder / "photos").mkdir()
    Image.fromarray(PHOTO).save(folder / "photos" / "a.png")

    def full(dir: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    for output in ("clean", "clean.png"):
        with pytest.raises(CommandError, match=f"{folder} cannot be written to: No space left on device"):
            inpaint(
                folder / "photos" if output == "clean" else folder / "photo.png", folder / "mask.png", folder / output
            )
        assert not (folder / output).exists()


def test_a_file_where_the_output_folder_should_be(folder: Path) -> None:
    (folder / "photos").mkdir()
    Image.fromarray(PHOTO).save(folder / "photos" / "a.png")

    with pytest.raises(CommandError, match="There is no folder"):
        inpaint(folder / "photos", folder / "mask.png", folder / "photo.png")


def test_an_empty_folder(folder: Path) -> None:
    (folder / "empty").mkdir()

    with pytest.raises(CommandError, match="has no pictures"):
        inpaint(folder / "empty", folder / "mask.png", folder / "clean")


def test_an_unknown_model(folder: Path) -> None:
    with pytest.raises(CommandError, match="dall-e"):
        inpaint(folder / "photo.png", folder / "mask.png", folder / "clean.png", model="dall-e")


def test_it_says_when_nothing_was_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def detect(image: np.ndarray, *_: Any, **__: Any) -> Detection:
        return Detection(LIKELY * 0, LIKELY * 0, MASK < 0, PHOTO, MASK < 0, [])

    monkeypatch.setattr("inpainting.engine.detect", detect)
    said = io.StringIO()
    call_command("inpaint", str(folder / "photo.png"), "-o", str(folder / "clean.png"), stdout=said)

    assert "nothing to remove was found" in said.getvalue()
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "clean.png")), PHOTO)


@pytest.mark.parametrize(
    ("options", "touched"), [({}, True), ({"mode": "restore"}, False), ({"mode": "repaint"}, True)]
)
def test_without_a_mask(folder: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], touched: bool) -> None:
    """What is found is fixed here: an opaque watermark, which cannot be restored to anything but itself."""

    class Found:
        def detect(
            self, image: np.ndarray, hole: np.ndarray | None = None, *, trust: Trust = "nobody", mend: bool = True
        ) -> Detection:
            return Detection(LIKELY, LIKELY, MASK > 0, PHOTO, MASK > 0, [])

    monkeypatch.setattr("inpainting.engine.detect", Found().detect)
    call_command("inpaint", str(folder / "photo.png"), "-o", str(folder / "clean.png"), **options)

    result = np.asarray(Image.open(folder / "clean.png"))
    assert (result != PHOTO).any() == touched
    around = masks.widened(MASK, 2) > 0
    np.testing.assert_array_equal(result[~around], PHOTO[~around])
