"""A user's own folder of pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.folder import LARGEST, Folder, open_pictures
from training.data.pack import NoPictures


def names(pictures: Folder) -> set[str]:
    return {item.file for item in pictures.items}


def test_it_works(folder: Path) -> None:
    train, held_out = Folder(folder, "train"), Folder(folder, "held-out")
    assert len(train) + len(held_out) == len(Folder(folder, None)) == 8
    assert not names(train) & names(held_out)
    assert len(held_out) >= 1
    crop = train.crop(np.random.default_rng(0), 64)
    assert (crop.shape, crop.dtype) == ((64, 64, 3), np.dtype(np.uint8))


def test_the_split_follows_the_content_and_not_the_name(folder: Path) -> None:
    before = {(folder / name).read_bytes() for name in names(Folder(folder, "held-out"))}
    for number, path in enumerate(sorted(folder.iterdir(), reverse=True)):
        path.rename(path.with_name(f"renamed{number}.png"))
    assert {(folder / name).read_bytes() for name in names(Folder(folder, "held-out"))} == before


def test_folders_in_it_count_and_other_files_do_not(folder: Path) -> None:
    (folder / "more").mkdir()
    Image.new("RGB", (80, 80), "red").save(folder / "more" / "red.jpg")
    (folder / "notes.txt").write_text("no picture")
    assert len(Folder(folder, None)) == 9
    assert "more/red.jpg" in names(Folder(folder, None))


def test_pictures_are_upright_and_reduced(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (3000, 1500), "red").save(folder / "large.jpg", exif=exif)
    pictures = Folder(folder, None)
    index = next(i for i, item in enumerate(pictures.items) if item.file == "large.jpg")
    assert pictures[index].shape == (LARGEST, LARGEST // 2, 3)
    assert (pictures.items[index].width, pictures.items[index].height) == (LARGEST // 2, LARGEST)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_picture_becomes_rgb(folder: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new(mode, (70, 70)).save(folder / f"other.{suffix}")
    pictures = Folder(folder, None)
    assert {pictures[i].shape[2] for i in range(len(pictures))} == {3}


def test_unreadable_and_tiny_ones_are_left_out_and_named(folder: Path) -> None:
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:500])
    (folder / "text.jpg").write_text("no picture")
    Image.new("RGB", (20, 20)).save(folder / "tiny.png")
    pictures = Folder(folder, None)
    assert len(pictures) == 8
    assert [why.split(":")[0] for why in pictures.unusable] == ["broken.png", "text.jpg", "tiny.png"]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(NoPictures, match="has 0 usable pictures"):
        open_pictures(tmp_path, "train")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NoPictures, match="There is no folder"):
        open_pictures(tmp_path / "nowhere", "train")


def test_one_picture_is_too_few(tmp_path: Path) -> None:
    Image.new("RGB", (80, 80)).save(tmp_path / "one.png")
    (tmp_path / "bad.png").write_text("no picture")
    with pytest.raises(NoPictures, match=r"has 1 usable pictures.*bad\.png: cannot identify.*Two are the least"):
        open_pictures(tmp_path, "train")
