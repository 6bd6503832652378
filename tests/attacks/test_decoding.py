"""Files whose decoding costs far more than sending them: refused from their structure, or bounded."""

import json
import random
import struct
import zlib

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import Usage
from inpainting import images, masks
from inpainting.containers.jpeg import MAX_SCANS
from inpainting.containers.parts import MAX_PARTS
from inpainting.images import SizeLimit
from tests import pictures
from tests.conftest import Account
from tests.inpainting.containers.making import JPEG, PNG, WEBP, chunk, jpeg, png, riff, webp

LIMIT = SizeLimit.of(None, None)
PROGRESSIVE = pictures.file(Image.new("RGB", (4096, 4096)), "JPEG", progressive=True).getvalue()


def with_scans(scans: int) -> bytes:
    """The last scan of a large picture again and again: 35 bytes, for each of which every block is visited."""
    start = PROGRESSIVE.rindex(b"\xff\xda")
    return PROGRESSIVE[:-2] + PROGRESSIVE[start:-2] * (scans - PROGRESSIVE.count(b"\xff\xda")) + PROGRESSIVE[-2:]


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


HEIF = box(b"ftyp", b"heic\0\0\0\0mif1heic")
PARTS = MAX_PARTS + 1
# 16-bit header of a 4096x4096 picture whose pixels are a row of nothing.
LARGE = chunk(b"IHDR", struct.pack(">IIBBBBB", 4096, 4096, 16, 6, 0, 0, 1))
COSTLY = {
    "1,500 scans": (with_scans(1500), f"more than {MAX_SCANS} scans"),
    "scans of nothing": (jpeg(b"\xff\xda\0\2" * 2000), f"more than {MAX_SCANS} scans"),
    "application markers": (jpeg(b"\xff\xe5\0\2" * PARTS), "more than 16,384 parts"),
    "restart markers": (jpeg(b"\xff\xd0" * PARTS), "more than 16,384 parts"),
    "tables": (jpeg(b"\xff\xdd\0\4\0\0" * PARTS), "more than 16,384 parts"),
    "private chunks": (png(chunk(b"prVt", b"") * PARTS), "more than 16,384 parts"),
    "empty pixels": (png(chunk(b"IDAT", b"") * PARTS), "more than 16,384 parts"),
    "RIFF chunks": (webp(riff(b"abcd", b"") * PARTS), "more than 16,384 parts"),
    "boxes": (HEIF + box(b"free") * PARTS, "more than 16,384 parts"),
    "a run of FF": (jpeg(b"\xff" * (9 << 20))[:-400], "damaged or truncated"),
    "a frame twice": (jpeg(JPEG[JPEG.index(b"\xff\xc0") :][:19]), "damaged or truncated"),
    "a palette picture without its palette": (
        PNG[:8]
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 3, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(90))),
        "no palette",
    ),
    "pixels that are nothing": (PNG[:8] + LARGE + chunk(b"IDAT", b"\x78\x01"), "damaged or truncated"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_it_works(name: str) -> None:
    data, reason = COSTLY[name]
    with pytest.raises(images.InvalidImage, match=reason):
        images.decode(data, LIMIT)


def test_as_many_scans_as_are_allowed() -> None:
    assert images.decode(with_scans(MAX_SCANS), LIMIT).width == 4096


def test_a_thousand_full_size_rectangles() -> None:
    rectangle = {"x": 0, "y": 0, "width": 4095, "height": 4096}

    assert masks.from_rectangles(json.dumps([rectangle] * masks.MAX_RECTANGLES), 4096, 4096)[:, :4095].all()


@pytest.mark.parametrize(("field", "code"), [("image", "invalid_image"), ("mask", "invalid_mask")])
def test_the_service_says_so_and_charges_nothing(alice: Account, field: str, code: str) -> None:
    alice.limit(requests_per_minute=100_000, burst=100_000)
    for data, _ in COSTLY.values():
        files = {name: pictures.file(pictures.photo()) for name in ("image", "mask")}
        answer = alice.client.post("/api/v1/remove-watermark", {**files, field: SimpleUploadedFile("attack", data)})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Usage.objects.exclude(charged=0).exists()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_seeded_damage_is_read_or_refused(format: str) -> None:
    """Bytes overwritten, cut out, doubled, anywhere: a picture, or InvalidImage; no other error."""
    numbers = random.Random(1)  # noqa: S311, repeatable is what is wanted
    whole = {"JPEG": JPEG, "PNG": PNG, "WEBP": WEBP}.get(format) or pictures.file(pictures.photo(), format).getvalue()
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(numbers.randrange(1, 6)):
            start = numbers.randrange(len(data))
            end = start + numbers.randrange(12)
            data[start:end] = numbers.choice([numbers.randbytes(end - start), b"", data[start:end] * 2])
        try:
            assert images.decode(bytes(data), LIMIT).rgb.dtype == np.uint8
        except (images.InvalidImage, images.ImageTooLarge):
            refused += 1
    assert 0 < refused < 300
