"""Pictures as callers have them, as files to send."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol, Union, cast, runtime_checkable
from urllib.parse import urlsplit

from iopaint.errors import ImageTooLarge

if TYPE_CHECKING:
    from PIL.Image import Image

# Far above what a service takes. It keeps a film that was called .jpg out of memory.
LARGEST = 100 << 20


@runtime_checkable
class Readable(Protocol):
    """A file that is open for reading bytes."""

    def read(self) -> bytes: ...


@runtime_checkable
class Pillow(Protocol):
    """A PIL.Image.Image."""

    @property
    def mode(self) -> str: ...
    def save(self, fp: Any, format: str, **options: Any) -> None: ...
    def convert(self, mode: str) -> Any: ...


@runtime_checkable
class Array(Protocol):
    """A numpy.ndarray of uint8 or bool: (H, W), (H, W, 3) RGB or (H, W, 4) RGBA."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class File:
    """A file's name and its bytes, which stay the same however often they are sent. No name: a text field."""

    name: str | None
    content: bytes


Picture = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Readable, Pillow, Array, File]


def part(field: str, picture: Picture, name: str = "image") -> tuple[str, File]:
    """A picture as it is sent in `field`: its file, or its address for the service to fetch in FIELD_url.

    Raises what `file` raises.
    """
    if is_address(picture):
        return f"{field}_url", File(None, str(picture).encode())
    return field, file(picture, name)


def is_address(picture: Picture) -> bool:
    return isinstance(picture, str) and picture.lower().startswith(("http://", "https://"))


def file(picture: Picture, name: str = "image") -> File:
    """Raises OSError where it cannot be read, ImageTooLarge, TypeError for what is no picture."""
    if isinstance(picture, File):
        return picture
    if isinstance(picture, (str, os.PathLike)):
        return _on_disk(Path(picture))
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return File(name, bytes(picture))
    if isinstance(picture, Pillow):
        return File(f"{name}.png", _png(cast("Image", picture)))
    if isinstance(picture, Array):
        return File(f"{name}.png", _png(_from_array(picture)))
    if isinstance(picture, Readable):
        content = picture.read()
        if not isinstance(content, bytes):
            raise TypeError("The file is open as text. Open it for reading bytes: open(path, 'rb').")
        return File(Path(str(getattr(picture, "name", name))).name, content)
    raise TypeError(f"A picture is a path, bytes, an open file, a PIL picture or a numpy array, not {type(picture)}.")


def check_several(images: object) -> None:
    """Raises TypeError for one picture where a list of them is meant: a text would be taken for its letters."""
    if isinstance(images, (str, bytes, os.PathLike)):
        raise TypeError("images is a list of pictures, not one.")


def label(picture: Picture, index: int) -> str:
    """What to call a picture: its file's name, or its number."""
    if is_address(picture):
        return PurePosixPath(urlsplit(str(picture)).path).name or f"image-{index + 1}"
    if isinstance(picture, (str, os.PathLike)):
        return Path(picture).name
    name = getattr(picture, "name", None)
    return Path(name).name if isinstance(name, str) and name else f"image-{index + 1}"


def _on_disk(path: Path) -> File:
    size = path.stat().st_size
    if size > LARGEST:
        raise ImageTooLarge(f"{path.name} has {size >> 20} MB. That is no picture to send.", code="image_too_large")
    name = path.name.encode(errors="replace").decode()  # a name of bytes that are no text can be on a disk
    return File(name, path.read_bytes())


def _png(picture: Image) -> bytes:
    buffer = io.BytesIO()
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGB")
    picture.save(buffer, "PNG", compress_level=1)  # it is sent once
    return buffer.getvalue()


def _from_array(array: Array) -> Image:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Arrays are sent as PNG by Pillow: pip install 'iopaint-sdk[pictures]'") from error
    kind = array.__array_interface__["typestr"]
    if kind not in ("|u1", "|b1"):
        raise TypeError(f"An array of uint8 or bool is expected, not {kind}.")
    return Image.fromarray(array)
