"""ZIP archives that come in: what is wrong with one is said before any of it is unpacked."""

import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from typing import Any

import pytest

from inpainting.batches import archive
from inpainting.batches.archive import InvalidArchive

MOST, MAX_BYTES = 3, 1 << 20


def made(*files: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as written:
        for name, data in files:
            written.writestr(name, data)
    return buffer


def test_it_works() -> None:
    sources = archive.sources(made(("b.png", b"one"), ("a.jpg", b"two"), ("a_mask.png", b"mask")), MOST, MAX_BYTES)

    assert [(source.name, source.image and source.image()) for source in sources] == [
        ("b.png", b"one"),
        ("a.jpg", b"two"),
    ]
    assert sources[0].mask is None
    assert sources[1].mask is not None
    assert sources[1].mask() == b"mask"


def test_what_archivers_add_is_ignored() -> None:
    added = [("__MACOSX/._a.png", b"x"), (".DS_Store", b"x"), ("folder/", b"")]

    assert [source.name for source in archive.sources(made(*added, ("a.png", b"1")), MOST, MAX_BYTES)] == ["a.png"]


def nameless() -> io.BytesIO:
    """Its list says that the name has no characters, and what follows one more."""
    data = bytearray(made(("a", b"x")).getvalue())
    entry = data.index(b"PK\x01\x02")
    data[entry + 28 : entry + 32] = struct.pack("<HH", 0, 1)
    return io.BytesIO(bytes(data))


def encrypted() -> io.BytesIO:
    """The flag of an encrypted file, in the list of the archive."""
    data = bytearray(made(("a.png", b"x")).getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(bytes(data))


def listing(count: int) -> io.BytesIO:
    """An archive whose end says that its list is longer than memory should hold."""
    data = bytearray(made(("a.png", b"x")).getvalue())
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<L", count * 46)
    return io.BytesIO(bytes(data))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (lambda: io.BytesIO(b"no archive"), "no ZIP file"),
        (lambda: io.BytesIO(b""), "no ZIP file"),
        (lambda: io.BytesIO(made(("a.png", b"x" * 5000)).getvalue()[:2000]), "no ZIP file"),
        (made, "no files"),
        (lambda: made(("folder/", b"")), "no files"),
        (lambda: made(("../../etc/passwd", b"x")), "a folder"),
        (lambda: made(("folder/a.png", b"x")), "a folder"),
        (lambda: made(("/a.png", b"x")), "a folder"),
        (lambda: made(("..\\a.png", b"x")), "a folder"),
        (lambda: made(("a\r\nb.png", b"x")), "control characters"),
        (lambda: made(("a.png\u202e", b"x")), "control characters"),
        (lambda: made(("a.png", b"x"), ("a.png", b"y")), "two files of one name"),
        (lambda: made(("a.png", b"")), "a.png is empty"),
        (nameless, "names with a folder"),
        (lambda: made(("a" * 300, b"x")), "too long"),
        (lambda: made(("inner.zip", b"PK")), "archives in archives"),
        (lambda: made(("a.png", b"x"), compression=zipfile.ZIP_BZIP2), "unusual"),
        (lambda: made(("a.png", bytes(50 << 20)), compression=zipfile.ZIP_DEFLATED), "too large. Max size: 1MB"),
        (lambda: made(*((f"{n}.png", b"x") for n in range(7))), "has 7 files"),
        (lambda: made(("a_mask.png", b"x"), ("b.png", b"x")), "mask of no picture"),
        (encrypted, "encrypted"),
        (lambda: listing(1 << 20), "lists too many"),
    ],
)
def test_what_is_refused(file: object, reason: str) -> None:
    with pytest.raises(InvalidArchive, match=reason):
        archive.sources(file(), MOST, MAX_BYTES)  # type: ignore[operator]


def lying(content: bytes, size: int, compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """An archive whose list says of its file that it is as long as `size`, with those bytes' checksum."""
    data = bytearray(made(("a.png", content), compression=compression).getvalue())
    entry = data.index(b"PK\x01\x02")
    data[entry + 16 : entry + 20] = struct.pack("<L", zlib.crc32(content[:size]))
    data[entry + 24 : entry + 28] = struct.pack("<L", size)
    return io.BytesIO(bytes(data))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize(("length", "says"), [(50 << 20, 1000), (1001, 1000), (999, 1000), (0, 1000)])
def test_a_file_whose_header_lies(length: int, says: int, compression: int) -> None:
    """A ZIP of 2 MB took 2 GB of memory: no more is unpacked than the header says."""
    (source,) = archive.sources(lying(bytes(length), says, compression), MOST, MAX_BYTES)

    assert source.image is not None
    tracemalloc.start()
    try:
        with pytest.raises(InvalidArchive, match="damaged"):
            source.image()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("content", [b"x", bytes(MAX_BYTES), os.urandom(MAX_BYTES)], ids=["byte", "zeros", "noise"])
def test_files_come_as_they_were_put_in(content: bytes, compression: int) -> None:
    (source,) = archive.sources(made(("a.png", content), compression=compression), MOST, MAX_BYTES)

    assert source.image is not None
    assert source.image() == content


def test_a_file_with_another_checksum() -> None:
    data = made(("a.png", b"content"), compression=zipfile.ZIP_STORED).getvalue().replace(b"content", b"contend")
    (source,) = archive.sources(io.BytesIO(data), MOST, MAX_BYTES)

    assert source.image is not None
    with pytest.raises(InvalidArchive, match="damaged"):
        source.image()


def test_files_that_are_small_only_in_the_archive(settings: Any) -> None:
    """A megabyte of zeros is a kilobyte: each is fair, all together fill a disk."""
    settings.MAX_BATCH_BYTES = 2 << 20
    zeros = [(f"{number}.png", bytes(MAX_BYTES)) for number in range(3)]

    assert len(archive.sources(made(*zeros[:2], compression=zipfile.ZIP_DEFLATED), MOST, MAX_BYTES)) == 2
    with pytest.raises(InvalidArchive, match="Max size: 2MB"):
        archive.sources(made(*zeros, compression=zipfile.ZIP_DEFLATED), MOST, MAX_BYTES)
