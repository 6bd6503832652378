"""Some sixty hostile or odd files over every endpoint that takes one: the documented answer, nothing left behind."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import Usage
from inpainting.models import Result, Upload
from tests import pictures
from tests.conftest import Account
from tests.inpainting.test_images import png

PHOTO, MASK = pictures.photo(), pictures.box_mask()
RGBA = np.dstack([PHOTO, 255 - MASK])

INVALID = (400, "invalid_image")
TOO_LARGE = (400, "image_too_large")
OF_A_MASK = {"invalid_image": "invalid_mask", "animated_image": "invalid_mask", "image_too_large": "mask_too_large"}
ANIMATED = (400, "animated_image")


def encoded(image: Any, format: str = "PNG", **options: Any) -> bytes:
    return pictures.file(image, format, **options).getvalue()


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlace: int = 0) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)


def frames(format: str) -> bytes:
    return encoded(Image.fromarray(PHOTO), format, save_all=True, append_images=[Image.fromarray(PHOTO // 2)])


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def damaged(data: bytes, at: float) -> bytes:
    """`data` with 16 bytes overwritten."""
    place = int(len(data) * at)
    return data[:place] + b"\xff\x00\xde\xad" * 4 + data[place + 16 :]


PNG, JPEG, WEBP = encoded(PHOTO), encoded(PHOTO, "JPEG"), encoded(PHOTO, "WEBP")
IEND = (b"IEND", b"")

REFUSED: dict[str, tuple[bytes, tuple[int, str]]] = {
    "0 bytes": (b"", INVALID),
    "1 byte": (b"\x89", INVALID),
    "text": (b"hello, I am a picture", INVALID),
    "html": (b"<html><script>alert(1)</script></html>", INVALID),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', INVALID),
    "zip": (b"PK\x03\x04" + bytes(100), INVALID),
    "pdf": (b"%PDF-1.7\n" + bytes(100), INVALID),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", INVALID),
    "gif": (encoded(PHOTO, "GIF"), INVALID),
    "bmp": (encoded(PHOTO, "BMP"), INVALID),
    "tiff": (encoded(PHOTO, "TIFF"), INVALID),
    "ico": (encoded(PHOTO, "ICO"), INVALID),
    "png signature alone": (PNG[:8], INVALID),
    "png header alone": (PNG[:33], INVALID),
    "png cut in half": (PNG[: len(PNG) // 2], INVALID),
    "png without its last chunks": (PNG[:-40], INVALID),
    "png damaged in its header": (damaged(PNG, 0.0005), INVALID),
    "png damaged in its pixels": (damaged(PNG, 0.5), INVALID),
    "png of zero width": (png([header(0, 10), (b"IDAT", zlib.compress(b"")), IEND]), INVALID),
    "png of unknown colour type": (png([header(8, 8, 8, 7), (b"IDAT", zlib.compress(bytes(200))), IEND]), INVALID),
    "png of depth 3": (png([header(8, 8, 3), (b"IDAT", zlib.compress(bytes(200))), IEND]), INVALID),
    "png whose pixels are no zlib": (png([header(8, 8), (b"IDAT", b"nonsense"), IEND]), INVALID),
    "png with a text bomb": (
        png([header(8, 8), (b"zTXt", b"c\0\0" + zlib.compress(bytes(64 << 20))), IEND]),
        INVALID,
    ),
    "png bomb of 5000 px": (png([header(5000, 5000), (b"IDAT", zlib.compress(bytes(75_000_000))), IEND]), TOO_LARGE),
    "png claiming 100000 px": (png([header(100_000, 100_000), (b"IDAT", b""), IEND]), TOO_LARGE),
    "png claiming 2**31 px": (png([header(2**31 - 1, 2**31 - 1), (b"IDAT", b""), IEND]), TOO_LARGE),
    "5000 px wide": (encoded(Image.new("L", (5000, 2))), TOO_LARGE),
    "5000 px high": (encoded(Image.new("RGB", (2, 5000)), "JPEG"), TOO_LARGE),
    "5000 px webp": (encoded(Image.new("RGB", (5000, 3)), "WEBP"), TOO_LARGE),
    "jpeg marker alone": (b"\xff\xd8\xff", INVALID),
    "jpeg cut in half": (JPEG[: len(JPEG) // 2], INVALID),
    "jpeg header alone": (JPEG[:200], INVALID),
    "webp cut in half": (WEBP[: len(WEBP) // 2], INVALID),
    "webp riff alone": (WEBP[:12], INVALID),
    "animated png": (frames("PNG"), ANIMATED),
    "animated webp": (frames("WEBP"), ANIMATED),
    "over 10 MB": (PNG + bytes(10 << 20), TOO_LARGE),
}

ACCEPTED: dict[str, bytes] = {
    "rgb png": PNG,
    "rgb jpeg": JPEG,
    "rgb webp": WEBP,
    "lossless webp": encoded(PHOTO, "WEBP", lossless=True),
    "grey png": encoded(PHOTO[..., 0]),
    "grey jpeg": encoded(PHOTO[..., 0], "JPEG"),
    "grey with alpha": encoded(Image.fromarray(RGBA).convert("LA")),
    "rgba png": encoded(RGBA),
    "rgba webp": encoded(RGBA, "WEBP"),
    "palette": encoded(Image.fromarray(PHOTO).quantize(16)),
    "palette with transparency": encoded(Image.fromarray(PHOTO).quantize(16), transparency=3),
    "1 bit": encoded(Image.fromarray(PHOTO).convert("1")),
    "16 bit": encoded(Image.fromarray(PHOTO[..., 0].astype(np.uint16) * 257)),
    "cmyk": encoded(Image.fromarray(PHOTO).convert("CMYK"), "JPEG"),
    "progressive jpeg": encoded(PHOTO, "JPEG", progressive=True),
    "exif-rotated": encoded(PHOTO, "JPEG", exif=exif(6)),
    "exif that is nonsense": encoded(PHOTO, "JPEG", exif=b"Exif\0\0nonsense"),
    "exif orientation 99": encoded(PHOTO, "JPEG", exif=exif(99)),
    "profile that is nonsense": encoded(PHOTO, icc_profile=b"nonsense"),
    # A whole zlib stream of one row: Pillow and browsers show the missing rows black.
    "png with too few rows": png([header(96, 64), (b"IDAT", zlib.compress(bytes(289))), IEND]),
    "something behind the picture": PNG + b"<script>alert(1)</script>",
}


Send = Callable[[bytes], Any]


def senders(public: Client, alice: Account) -> dict[str, Send]:
    """Each endpoint and field that takes a file."""

    def file(data: bytes) -> SimpleUploadedFile:
        return SimpleUploadedFile("photo.png", data, "image/png")

    def photo() -> SimpleUploadedFile:
        return file(PNG)

    def mask() -> SimpleUploadedFile:
        return file(encoded(MASK))

    v1 = "/api/v1/remove-watermark"
    return {
        "upload-image": lambda data: public.post("/upload-image", {"image": file(data)}),
        "upload-mask": lambda data: public.post("/upload-mask", {"mask": file(data)}),
        "multipart image": lambda data: public.post("/inpaint-multipart", {"image": file(data), "mask": mask()}),
        "multipart mask": lambda data: public.post("/inpaint-multipart", {"image": photo(), "mask": file(data)}),
        "v1 image": lambda data: alice.client.post(v1, {"image": file(data), "mask": mask()}),
        "v1 mask": lambda data: alice.client.post(v1, {"image": photo(), "mask": file(data)}),
    }


@pytest.fixture(autouse=True)
def _as_often_as_we_like(settings: Any, alice: Account) -> None:
    settings.PUBLIC_RATE = "1000/s"
    alice.limit(requests_per_minute=100_000, burst=100_000)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(public: Client, alice: Account, name: str) -> None:
    data, (status, code) = REFUSED[name]

    for endpoint, send in senders(public, alice).items():
        response = send(data)
        body = response.json()
        expected = OF_A_MASK[code] if "mask" in endpoint else code
        assert (response.status_code, body["code"]) == (status, expected), f"{endpoint}: {body}"
        assert set(body) == {"error", "detail", "status_code", "code", "request_id"}
        assert "mask" in body["detail"].lower() or "mask" not in endpoint
    assert not Upload.objects.exists()
    assert not Result.objects.exists()
    assert not Usage.objects.exclude(state="failed", charged=0).exists()


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted_as_a_picture(public: Client, alice: Account, name: str) -> None:
    for endpoint, send in senders(public, alice).items():
        if "mask" not in endpoint:
            response = send(ACCEPTED[name])
            assert response.status_code == 200, f"{endpoint}: {response.json()}"


@pytest.mark.parametrize("name", ACCEPTED)
def test_as_a_mask_it_is_read_or_refused_with_a_reason(public: Client, alice: Account, name: str) -> None:
    for endpoint, send in senders(public, alice).items():
        if "mask" in endpoint:
            response = send(ACCEPTED[name])
            reasons = ("empty_mask", "mask_covers_everything", "faint_mask")
            assert response.status_code == 200 or response.json()["code"] in reasons, f"{endpoint}: {response.json()}"


def test_a_rotated_picture_comes_back_upright(alice: Account) -> None:
    mask = pictures.file(pictures.box_mask(64, 96, (20, 30, 36, 50)))
    image = io.BytesIO(encoded(PHOTO, exif=exif(6)))
    response = alice.client.post("/api/v1/remove-watermark", {"image": image, "mask": mask})

    assert response["X-Image-Size"] == "64x96"
    outside = pictures.pixels(mask.getvalue()) == 0
    np.testing.assert_array_equal(pictures.pixels(response.content)[outside], np.rot90(PHOTO, -1)[outside])
