"""What of a picture each format holds, read by somebody else's reader."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from inpainting import encoding, icc
from inpainting.colour import Colour
from inpainting.images import Picture
from inpainting.options import FileFormat
from tests import pictures
from tests.inpainting import profiles
from tests.inpainting.test_colour import ADOBE, GAMMA_1, P3, PROFILE
from tests.inpainting.test_icc import to_srgb

PHOTO = pictures.photo()
FORMATS: tuple[FileFormat, ...] = ("png", "jpeg", "webp", "avif")


def read(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def camera(**tags: Any) -> bytes:
    """EXIF of a phone, with a thumbnail, as a TIFF structure."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Telephone"
    exif[ExifTags.Base.Orientation] = 6
    exif._ifds[ExifTags.IFD.Exif] = {ExifTags.Base.ExifImageWidth: 64, ExifTags.Base.ExifImageHeight: 96}
    exif._ifds[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitude: (52.0, 31.0, 0.0)}
    tiff = bytearray(exif.tobytes()[6:])
    # The pointer to a second directory follows the first one's entries: the thumbnail's.
    count = struct.unpack_from("<H", tiff, 8)[0] if tiff[:2] == b"II" else struct.unpack_from(">H", tiff, 8)[0]
    order = "<" if tiff[:2] == b"II" else ">"
    struct.pack_into(order + "I", tiff, 10 + 12 * count, len(tiff))
    thumbnail = pictures.file(PHOTO, "JPEG").getvalue()
    place = len(tiff) + 2 + 24 + 4
    tiff += struct.pack(order + "HHHII", 2, 0x0201, 4, 1, place) + struct.pack(
        order + "HHII", 0x0202, 4, 1, len(thumbnail)
    )
    return bytes(tiff + bytes(4) + thumbnail)


@pytest.mark.parametrize("format", FORMATS)
def test_it_works(format: FileFormat) -> None:
    image = read(encoding.encode(Picture(PHOTO, colour=Colour(PROFILE)), format))

    assert image.format == format.upper()
    assert image.info["icc_profile"] == PROFILE
    assert np.abs(np.asarray(image).astype(int) - PHOTO).mean() < (0.1 if format == "png" else 5)


def test_png_is_really_compressed() -> None:
    smooth = np.repeat(np.repeat(pictures.photo(16, 16), 16, axis=0), 16, axis=1)

    assert len(encoding.encode(Picture(smooth))) < smooth.size / 20


@pytest.mark.parametrize("format", ["png", "webp", "avif"])
def test_alpha_is_kept(format: FileFormat) -> None:
    alpha = np.zeros((64, 96), np.uint8)
    alpha[:, 48:] = 255

    np.testing.assert_array_equal(read(encoding.encode(Picture(PHOTO, alpha), format)).getchannel("A"), alpha)


def test_jpeg_lays_transparency_on_white() -> None:
    picture = Picture(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))

    assert pictures.pixels(encoding.encode(picture, "jpeg")).min() > 250


@pytest.mark.parametrize("format", FORMATS)
def test_grey_comes_out_with_equal_channels(format: FileFormat) -> None:
    grey = np.repeat(PHOTO[..., :1], 3, axis=2)

    channels = np.asarray(read(encoding.encode(Picture(grey), format)))
    assert np.ptp(channels, axis=2).max() <= (1 if format == "webp" else 0)  # libwebp's readers round so


# --- what the colours mean -------------------------------------------------------------------------------------------


def test_png_says_it_as_it_came() -> None:
    said = {b"cICP": P3, b"gAMA": GAMMA_1, b"cHRM": ADOBE, b"sRGB": b"\1"}

    found = profiles.chunks(encoding.encode(Picture(PHOTO, colour=Colour(None, said))))
    assert {name: found[name] for name in said} == said


def test_png_does_not_say_srgb_beside_a_profile() -> None:
    found = profiles.chunks(encoding.encode(Picture(PHOTO, colour=Colour(PROFILE, {b"sRGB": b"\1"}))))

    assert b"sRGB" not in found
    assert zlib.decompress(found[b"iCCP"].split(b"\0\0", 1)[1]) == PROFILE


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("chunks", [{b"gAMA": GAMMA_1}, {b"gAMA": GAMMA_1, b"cHRM": ADOBE}])
def test_others_say_it_by_a_profile(format: FileFormat, chunks: dict[bytes, bytes]) -> None:
    image = read(encoding.encode(Picture(PHOTO, colour=Colour(None, chunks)), format))

    made = icc.matrix_profile(
        (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
        if b"cHRM" in chunks
        else (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
        icc.power(1),
    )
    assert np.abs(to_srgb(PHOTO, image.info["icc_profile"]).astype(int) - to_srgb(PHOTO, made)).max() <= 1


def test_avif_says_code_points_as_such() -> None:
    data = encoding.encode(Picture(PHOTO, colour=Colour(None, {b"cICP": P3})), "avif")

    assert data.count(b"colrnclx\0\x0c\0\x0d") == 1  # primaries 12, transfer 13
    assert "icc_profile" not in read(data).info


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_others_make_a_profile_of_them(format: FileFormat) -> None:
    profile = read(encoding.encode(Picture(PHOTO, colour=Colour(None, {b"cICP": P3})), format)).info["icc_profile"]

    assert to_srgb(np.array([[[100, 150, 100]]], np.uint8), profile)[0, 0].tolist() == pytest.approx(
        [83, 152, 95], abs=1
    )


@pytest.mark.parametrize("format", FORMATS)
def test_a_profile_of_more_than_a_megabyte(format: FileFormat) -> None:
    profile = icc._tags(PROFILE) | {b"prvt": b"text\0\0\0\0" + bytes(1_200_000)}

    image = read(encoding.encode(Picture(PHOTO, colour=Colour(profiles.assembled(b"RGB ", profile))), format))
    np.testing.assert_array_equal(to_srgb(PHOTO, image.info["icc_profile"]), to_srgb(PHOTO, PROFILE))


# --- dots per inch, EXIF ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("format", "dpi"), [("png", (299.9994, 149.9870)), ("jpeg", (300, 150))])
def test_dots_per_inch(format: FileFormat, dpi: tuple[float, float]) -> None:
    image = read(encoding.encode(Picture(PHOTO, dpi=(299.9994, 149.9870)), format))

    assert image.info["dpi"] == pytest.approx(dpi, abs=0.001)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("dpi", [(0, 0), (1e-9, 1e-9), (1e6, 1e6), (1e30, 72)])
def test_dots_that_no_file_can_state(format: FileFormat, dpi: tuple[float, float]) -> None:
    assert read(encoding.encode(Picture(PHOTO, dpi=dpi), format)).size == (96, 64)


@pytest.mark.parametrize("format", FORMATS)
def test_exif_is_not_passed_on(format: FileFormat) -> None:
    assert not read(encoding.encode(Picture(PHOTO, exif=camera()), format)).getexif()


def test_a_camera_has_a_thumbnail() -> None:
    exif = Image.Exif()
    exif.load(camera())

    assert exif.get_ifd(ExifTags.IFD.IFD1)


@pytest.mark.parametrize("format", FORMATS)
def test_exif_is_kept_where_it_is_asked_for(format: FileFormat) -> None:
    image = read(encoding.encode(Picture(PHOTO, exif=camera()), format, "keep"))

    exif = image.getexif()
    assert exif[ExifTags.Base.Make] == "Telephone"
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (52.0, 31.0, 0.0)
    details = exif.get_ifd(ExifTags.IFD.Exif)
    assert (details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight]) == (96, 64)
    assert exif.get_ifd(ExifTags.IFD.IFD1) == {}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated File Read")
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "exif", [b"x", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*" + bytes(40), camera()[:40], camera()[:90]]
)
def test_damaged_exif_does_no_harm(format: FileFormat, exif: bytes) -> None:
    read(encoding.encode(Picture(PHOTO, exif=exif), format, "keep")).getexif()


def test_exif_that_no_jpeg_holds_is_left_out() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "x" * 70_000
    picture = Picture(PHOTO, exif=exif.tobytes()[6:])

    assert not read(encoding.encode(picture, "jpeg", "keep")).getexif()
    assert read(encoding.encode(picture, "png", "keep")).getexif()


def test_littlecms_reads_every_profile_that_is_made() -> None:
    for chunks in ({b"gAMA": GAMMA_1}, {b"cICP": P3}):
        profile = read(encoding.encode(Picture(PHOTO, colour=Colour(None, chunks)), "jpeg")).info["icc_profile"]
        assert ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space == "RGB "


@pytest.mark.slow
def test_grain_that_lossy_webp_has_no_room_for() -> None:
    rng = np.random.default_rng(2)
    grain = rng.normal(0, 40, (4096, 4096, 1)) + rng.normal(0, 20, (4096, 4096, 3))
    pixels = np.asarray(np.clip(128 + grain, 0, 255), np.uint8)

    made = read(encoding.encode(Picture(pixels), "webp"))
    assert np.array_equal(np.asarray(made), pixels)
