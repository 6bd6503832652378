import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iopaint import files, saving
from iopaint.errors import ImageTooLarge
from tests import pictures

PHOTO = pictures.photo(8, 6)
PNG = pictures.file(PHOTO).getvalue()


def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "Straße 图片.png"
    path.write_bytes(PNG)

    for given in (path, str(path), path.open("rb")):
        assert files.file(given) == files.File(path.name, PNG)


@pytest.mark.parametrize("given", [PNG, bytearray(PNG), memoryview(PNG), io.BytesIO(PNG)])
def test_bytes_are_sent_as_they_are(given: files.Picture) -> None:
    assert files.file(given) == files.File("image", PNG)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "HSV", "F"])
def test_pillows_pictures_are_sent_as_png(mode: str) -> None:
    picture = Image.fromarray(PHOTO).convert("L" if mode == "F" else "RGB").convert(mode)

    sent = Image.open(io.BytesIO(files.file(picture).content))

    assert (sent.format, sent.size) == ("PNG", (8, 6))


def test_arrays_are_sent_as_png() -> None:
    assert np.array_equal(pictures.pixels(files.file(PHOTO).content), PHOTO)

    mask = pictures.pixels(files.file(pictures.box_mask() > 0).content)
    assert np.array_equal(mask, pictures.box_mask() > 0)


@pytest.mark.parametrize("given", [PHOTO / 255, PHOTO.astype(int), 7, None, io.StringIO("text")])
def test_what_is_no_picture_is_told(given: files.Picture) -> None:
    with pytest.raises(TypeError):
        files.file(given)


def test_a_film_is_not_read_into_memory(tmp_path: Path) -> None:
    film = tmp_path / "film.jpg"
    with film.open("wb") as file:
        file.truncate(200 << 20)

    with pytest.raises(ImageTooLarge, match="200 MB"):
        files.file(film)


def test_results_have_names_of_their_own() -> None:
    labels = ["a.jpg", "a.png", "A.jpg", "b.tar.gz", "image-4", "a.jpg"]

    assert saving.stems(labels) == ["a", "a.png", "A.jpg", "b.tar", "image-4", "a-2"]


def test_a_name_leads_to_no_other_folder() -> None:
    assert saving.stems(["../../a.png", "/etc/a.png", "..", ""]) == ["a", "a.png", "image", "image-2"]


def test_a_services_word_for_a_name_is_tamed() -> None:
    red, half, long = "a\x1b[31m\0\n.png", "\ud800.png", "é" * 300 + ".png"

    assert saving.stems([red, half, long]) == ["a_[31m__", "?", "é" * 100]


def test_a_name_that_is_no_text_is_sent(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"stra\xdfe.png")
    path.write_bytes(PNG)

    assert files.file(path).name == "stra?e.png"


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError, match="taken"):
        saving.write(tmp_path / "taken", b"content")

    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
