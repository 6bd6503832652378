"""The container, the split, and what is let into a set."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from tests.training.small_set import landscape, small_set
from training.data import packages
from training.data.collect import Collector, Seen, is_natural
from training.data.pack import NoPictures, Pack, Pictures, Writer, split_of
from training.data.packages import Licences, Package, fetch, qt_resource


def test_what_is_written_is_read(tmp_path: Path) -> None:
    pictures = Pictures(small_set(tmp_path), "train")

    assert len(pictures) == 5
    np.testing.assert_array_equal(pictures[2], landscape(2))
    item = pictures.items[2]
    assert (item.source, item.file, item.licence, item.width, item.height) == ("tests", "2.png", "CC0", 128, 96)


def test_the_splits_share_nothing(tmp_path: Path) -> None:
    pack = Pack(small_set(tmp_path))

    train, held_out = ({item.file for item in pack.of("photo", split)} for split in ("train", "held-out"))

    assert train
    assert held_out
    assert not train & held_out


def test_the_split_of_a_name_never_moves() -> None:
    # Literal on purpose: a picture that changes sides would be judged after it was learned.
    assert {name: split_of(name) for name in ("photos/a.jpg", "photos/b.jpg", "photos/k.jpg", "photos/11.jpg")} == {
        "photos/a.jpg": "train",
        "photos/b.jpg": "train",
        "photos/k.jpg": "train",
        "photos/11.jpg": "held-out",
    }
    share = np.mean([split_of(f"photos/{number}.jpg") == "held-out" for number in range(3000)])
    assert 0.06 < share < 0.11


def test_a_crop_is_a_part_of_a_picture_in_other_colours(tmp_path: Path) -> None:
    pictures = Pictures(small_set(tmp_path), "train")

    crops = [pictures.crop(np.random.default_rng(seed), 64) for seed in range(8)]

    assert {crop.shape for crop in crops} == {(64, 64, 3)}
    assert len({crop.tobytes() for crop in crops}) == 8
    np.testing.assert_array_equal(crops[3], pictures.crop(np.random.default_rng(3), 64))


def test_an_unfinished_set_is_none(tmp_path: Path) -> None:
    Writer(tmp_path)  # never closed

    with pytest.raises(NoPictures, match="python -m training data"):
        Pictures(tmp_path, "train")


def test_a_folder_of_photographs_becomes_a_set(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    photo = Image.fromarray(landscape(1, 300, 400))
    photo.save(tmp_path / "photos/one.jpg", quality=95)
    photo.resize((600, 450)).save(tmp_path / "photos/the-same-again.png")
    Image.fromarray(landscape(2, 60, 80)).save(tmp_path / "photos/tiny.png")
    (tmp_path / "photos/notes.txt").write_text("no picture")
    (tmp_path / "licences.tsv").write_text("file\trepo\tcommit\tpath\tlicence\none.jpg\tme/mine\tabc\tone.jpg\tCC0\n")
    writer = Writer(tmp_path / "set")

    taken = Collector(writer, side=350, quality=90).take_folder(tmp_path / "photos", tmp_path / "licences.tsv")
    writer.close()

    assert taken == 1
    (item,) = Pack(tmp_path / "set").items
    assert (item.file, item.version, item.licence) == ("me/mine/one.jpg", "abc", "CC0")
    assert max(item.width, item.height) == 350


def test_near_duplicates_are_seen_through() -> None:
    seen, picture = Seen(), landscape(1)
    darker = (picture * 0.8).astype(np.uint8)

    assert [seen.is_new(picture), seen.is_new(darker), seen.is_new(landscape(2))] == [True, False, True]


@pytest.mark.parametrize("name", ["flat", "drawn", "normal map"])
def test_what_is_no_photograph_is_left_out(name: str) -> None:
    photo = landscape(1, 256, 256)
    other = {
        "flat": np.full_like(photo, 90),
        "drawn": (photo > 128).astype(np.uint8) * 255,
        "normal map": np.dstack([100 + photo[..., 0] // 5, 100 + photo[..., 1] // 5, 200 + photo[..., 2] // 5]),
    }

    assert is_natural(photo)
    assert not is_natural(other[name])


def test_fonts_of_a_package_say_their_scripts(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts-x/usr/share/fonts"
    fonts.mkdir(parents=True)
    font = ImageFont.load_default(20).font_bytes  # type: ignore[union-attr]
    (fonts / "a.ttf").write_bytes(font)
    (fonts / "broken.ttf").write_bytes(font[:200])
    writer = Writer(tmp_path / "set")

    taken = Collector(writer, 350, 90).take_package("font", Package("fonts-x", "1.0", tmp_path / "fonts-x"))

    assert (taken, writer.items[0].about, writer.items[0].source) == (1, "latin", "fonts-x")


def test_licences_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "copyright").write_text(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: A\nLicense: GPL-2+\n\nFiles: src/tower.jpg\nCopyright: B\nLicense: CC-BY-SA-3.0\n"
    )
    licences = Licences(tmp_path / "copyright")

    assert licences.of("usr/share/x/tower.jpg") == "CC-BY-SA-3.0"
    assert licences.of("usr/share/x/other.jpg") == "GPL-2+"
    assert "copyright file" in Licences(tmp_path / "missing").of("x")


def test_a_qt_resource_is_looked_into() -> None:
    name = b"\x00\x05" + b"\x00" * 4 + "a.png".encode("utf-16-be")
    contents = struct.pack(">I", 3) + b"abc"
    tree = struct.pack(">IHII", 0, 2, 1, 1) + struct.pack(">IHHHI", 0, 0, 0, 0, 0)
    header = struct.pack(">4sIIII", b"qres", 1, 20, 20 + len(tree), 20 + len(tree) + len(contents))

    assert list(qt_resource(header + tree + contents + name)) == [("a.png", b"abc")]
    assert list(qt_resource(b"no resource, but long enough")) == []


def test_a_stored_webp_is_not_compressed_again(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    out = io.BytesIO()
    Image.fromarray(landscape(1, 240, 320)).save(out, "WEBP", quality=80)
    (tmp_path / "photos/one.webp").write_bytes(out.getvalue())
    writer = Writer(tmp_path / "set")
    Collector(writer, 350, 90).take_folder(tmp_path / "photos", None)
    writer.close()
    pack = Pack(tmp_path / "set")

    assert pack.read(pack.items[0]) == out.getvalue()


def test_packages_are_unpacked_below_a_folder_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*command: str, cwd: Path) -> None:
        if command[0] == "apt-get":
            (cwd / "fonts-a_1%3a2-3_all.deb").touch()
        else:
            deb, root = (cwd / part for part in command[-2:])
            assert deb.exists()
            (root / "usr").mkdir(parents=True)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(packages, "_run", run)

    package = fetch("fonts-a", Path("set/downloads"))

    assert package.version == "1:2-3"
    assert (package.root / "usr").is_dir()
