"""What an AVIF's streams really hold, whatever its boxes say."""

import io
import struct

import pytest
from PIL import Image

from inpainting import containers, images
from inpainting.images import SizeLimit
from tests import pictures

LIMIT = SizeLimit.of(None, None)


def file(width: int, height: int, mode: str = "RGB") -> bytes:
    return pictures.file(Image.new(mode, (width, height)), "AVIF", speed=10).getvalue()


def lying(data: bytes, width: int, height: int) -> bytes:
    """The boxes that say a size say this one."""
    said, size = b"ispe\0\0\0\0", struct.pack(">II", width, height)
    first, *others = data.split(said)
    return first + b"".join(said + size + other[len(size) :] for other in others)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize(("width", "height"), [(64, 48), (157, 111), (1, 1)])
def test_it_works(width: int, height: int, mode: str) -> None:
    assert containers.split(file(width, height, mode)).coded == (width, height)


def test_a_header_that_says_less() -> None:
    small = lying(file(4200, 16), 64, 16)

    assert Image.open(io.BytesIO(small)).size == (64, 16)
    with pytest.raises(images.ImageTooLarge, match="Max dimension: 4096px"):
        images.decode(small, LIMIT)


def test_places_without_end() -> None:
    """65,535 parts of no bytes, again and again; and one that is the whole file each time."""
    data = file(64, 48)
    at = data.index(b"iloc")
    for sizes in (b"\0\0", b"\x44\0"):
        body = bytes(4) + sizes + struct.pack(">H", 65_535) + (struct.pack(">HHH", 1, 0, 65_535) + bytes(8)) * 20
        size = struct.unpack_from(">I", data, at - 4)[0]
        with pytest.raises(images.InvalidImage):
            images.decode(data[: at + 4] + body[: size - 8].ljust(size - 8, b"\xff") + data[at - 4 + size :], LIMIT)
