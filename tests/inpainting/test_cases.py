"""Files as healthy programs make them: v1, the object remover surface and the command answer alike, and rightly."""

import codecs
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from inpainting import images
from tests import cases
from tests.cases import ACCEPTED, Case
from tests.conftest import Account
from tests.inpainting import profiles
from tests.inpainting.api.test_object_remover import content
from tests.wire import multipart

V1 = "/api/v1/remove-watermark"
MULTIPART = "multipart/form-data; boundary=x"


def named(data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = "file.png"  # whatever it is
    return file


def by_v1(client: Client, case: Case) -> bytes:
    response: Any = client.post(V1, {"image": named(case.image), "mask": named(case.mask)})
    assert response.status_code == 200, response.content
    assert response["X-Image-Size"] == f"{case.size[0]}x{case.size[1]}"
    assert response["X-Mask-Pixels"] == str(case.pixels)
    assert response["X-Credits-Charged"] == "1"
    return bytes(response.content)


def by_object_remover(client: Client, case: Case) -> bytes:
    ids = {
        f"{kind}_id": client.post(f"/upload-{kind}", {kind: named(data)}).json()["id"]
        for kind, data in (("image", case.image), ("mask", case.mask))
    }
    response: Any = client.post("/inpaint", ids, "application/json")
    assert response.status_code == 200, response.content
    return content(client, response.json()["result"])


def by_command(folder: Path, case: Case) -> bytes:
    said = io.StringIO()
    image, mask, result = (folder / name for name in ("image.png", "mask.png", "result.png"))
    image.write_bytes(case.image)
    mask.write_bytes(case.mask)
    call_command("inpaint", str(image), str(mask), "-o", str(result), stdout=said)
    assert f"{case.pixels} pixels cleaned" in said.getvalue()
    return result.read_bytes()


def upright(case: Case) -> np.ndarray:
    """(H, W, 4) as it came, with the orientation of the table: read by Pillow, as healthy programs read it."""
    image: Image.Image = Image.open(io.BytesIO(case.plain or case.image))
    image = image.transpose(images.TURNS[case.orientation]) if case.orientation > 1 else image
    return np.asarray(image.convert("RGBA"))


def hole(case: Case) -> np.ndarray:
    """(H, W) bool: the brighter of the mask's two values; of a pixel's several, any."""
    mask = np.asarray(Image.open(io.BytesIO(case.mask)))
    marked = mask == mask.max()
    width, height = case.size
    if marked.shape != (height, width) and case.orientation == 6:
        return np.rot90(marked, -1)
    step = marked.shape[0] // height
    return np.asarray(marked.reshape(height, step, width, step).any(axis=(1, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ACCEPTED)
def test_it_works(alice: Account, tmp_path: Path, name: str) -> None:
    case = ACCEPTED[name]
    result = by_v1(alice.client, case)
    assert by_object_remover(alice.client, case) == result
    assert by_command(tmp_path, case) == result

    cleaned, before, marked = np.asarray(Image.open(io.BytesIO(result)).convert("RGBA")), upright(case), hole(case)
    assert marked.sum() == case.pixels
    assert cleaned.shape == (case.size[1], case.size[0], 4)
    hidden = before[..., 3] == 0
    np.testing.assert_array_equal(cleaned[~marked & ~hidden], before[~marked & ~hidden])
    assert not cleaned[~marked & hidden][:, 3].any()
    assert {kind: profiles.chunks(result).get(kind) for kind in case.chunks} == case.chunks
    readable(result)
    CHECKS.get(name.split(maxsplit=1)[0], changed)(cleaned, before, marked)


def readable(result: bytes) -> None:
    """By other readers, and by this service: a result may go on to be edited."""
    assert cv2.imdecode(np.frombuffer(result, np.uint8), cv2.IMREAD_COLOR) is not None
    images.decode(result, images.SizeLimit.of(None, None))


def changed(after: np.ndarray, before: np.ndarray, marked: np.ndarray) -> None:
    assert (after[marked] != before[marked]).any(axis=1).mean() > 0.5


def nothing_is_left(after: np.ndarray, before: np.ndarray, marked: np.ndarray) -> None:
    assert not after[..., 3].any()


def as_without_its_mark(after: np.ndarray, before: np.ndarray, marked: np.ndarray) -> None:
    """H2 is the same cut-out without a mark."""
    true = np.asarray(Image.open(io.BytesIO(ACCEPTED["H2 the rim of a cut-out"].image)))
    assert np.abs(after[..., 3].astype(int) - true[..., 3])[marked].mean() < 4
    shown = marked & (true[..., 3] == 255)
    left, was = (np.abs(picture[..., :3].astype(int) - true[..., :3])[shown].mean() for picture in (after, before))
    assert left < 0.6 * was


def with_its_rim(after: np.ndarray, before: np.ndarray, marked: np.ndarray) -> None:
    assert ((after[..., 3] >= 128) == (before[..., 3] >= 128))[marked].mean() > 0.8


def the_pattern_goes_on(after: np.ndarray, before: np.ndarray, marked: np.ndarray) -> None:
    np.testing.assert_array_equal(after, before)


def equal_channels(after: np.ndarray, before: np.ndarray, marked: np.ndarray) -> None:
    assert (after[..., :3] == after[..., :1]).all()
    changed(after, before, marked)


def no_red_is_left(after: np.ndarray, before: np.ndarray, marked: np.ndarray) -> None:
    red, green, blue = np.moveaxis(after[..., :3].astype(int), 2, 0)
    assert (red - np.maximum(green, blue)).max() < 100


CHECKS = {
    "H0": nothing_is_left,
    "H1": as_without_its_mark,
    "H2": with_its_rim,
    "K1": no_red_is_left,
    "P1": the_pattern_goes_on,
    "P2": equal_channels,
}


def test_a_picture_without_its_palette(alice: Account, tmp_path: Path) -> None:
    for url, fields in ((V1, {"mask": named(cases.BOX)}), ("/upload-image", {}), ("/api/v1/detect", {})):
        answer: Any = alice.client.post(url, {"image": named(cases.NO_PALETTE), **fields})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_image")

    (tmp_path / "image.png").write_bytes(cases.NO_PALETTE)
    with pytest.raises(CommandError, match="no palette"):
        call_command("inpaint", str(tmp_path / "image.png"), "-o", str(tmp_path / "result.png"))
    assert not (tmp_path / "result.png").exists()


def test_a_file_name_in_latin_1(alice: Account) -> None:
    both = multipart((cases.LATIN_1, cases.PNG), (b'name="mask"; filename="mask.png"', cases.BOX))
    cleaned: Any = alice.client.generic("POST", V1, both, MULTIPART)
    inpainted: Any = alice.client.generic("POST", "/inpaint-multipart", both, MULTIPART)
    uploaded: Any = alice.client.generic("POST", "/upload-image", multipart((cases.LATIN_1, cases.PNG)), MULTIPART)

    assert content(alice.client, inpainted.json()["result"]) == cleaned.content
    assert uploaded.json()["filename"] == "caf\ufffd.png"


def test_json_with_a_byte_order_mark(alice: Account) -> None:
    """It is read: all that is wrong is that there are no such uploads."""
    body = codecs.BOM_UTF8 + b'{"image_id": "x", "mask_id": "y"}'
    answer: Any = alice.client.generic("POST", "/inpaint", body, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
