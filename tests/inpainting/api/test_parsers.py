"""Bodies as programs write them: names in any bytes, JSON with a byte order mark, chunks of unknown length."""

import codecs
import json
from contextlib import nullcontext
from io import BytesIO
from urllib.parse import quote

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from django.test import Client
from rest_framework.exceptions import ParseError

from accounts.models import Usage
from inpainting import admission
from inpainting.admission import NoRoom, Room
from inpainting.api.parsers import MAX_MARKS, JSONParser
from tests import pictures, wire
from tests.conftest import Account
from tests.inpainting.api.test_object_remover import upload_both

PICTURE = pictures.file(pictures.photo()).getvalue()
MULTIPART = "multipart/form-data; boundary=x"
CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("café.png".encode(), "café.png"),
        ("café.png".encode("latin-1"), "caf\ufffd.png"),
        ("写真.png".encode("shift_jis"), None),
    ],
)
def test_it_works(public: Client, name: bytes, read: str | None) -> None:
    body = wire.multipart((b'name="image"; filename="' + name + b'"', PICTURE))
    response = public.generic("POST", "/upload-image", body, MULTIPART)

    assert response.status_code == 200, response.content
    assert read is None or response.json()["filename"] == read


def test_a_picture_that_looks_like_a_head_is_left_alone(public: Client) -> None:
    """What stands behind the part's head is not text, and nothing of it is replaced."""
    name = b'name="image"; filename="\xe9.png"'
    padded = PICTURE + b"\r\n\r\n\xe9\xff" * 300  # behind the picture's end, where nothing is read
    response = public.generic("POST", "/upload-image", wire.multipart((name, padded)), MULTIPART)

    assert response.status_code == 200


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-32-be"),
    ],
)
def test_json_of_any_unicode(public: Client, encode: object) -> None:
    body = encode(json.dumps(upload_both(public)))  # type: ignore[operator]

    assert public.generic("POST", "/inpaint", body, "application/json").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"image_id": "\\ud800"}',
        b'{"\\udfff": 1}',
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b'{"image_id": ' + b"9" * 5000 + b"}",
        b'{"image_id": NaN}',
        b'{"image_id": "\xff"}',
        b"\xef\xbb\xbf",
        b"\xff\xfe\x00",
    ],
)
def test_json_that_is_none(public: Client, body: bytes) -> None:
    response = public.generic("POST", "/inpaint", body, "application/json")

    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be"])
@pytest.mark.parametrize("unit", ["[],", "{},", '"",', "1,", "[["])
def test_json_of_too_many_pieces_is_refused_unread(monkeypatch: pytest.MonkeyPatch, unit: str, encoding: str) -> None:
    """Reading it would hold Python's lock for seconds, and /health with it."""
    monkeypatch.setattr("rest_framework.utils.json.loads", lambda body: pytest.fail("It was read."))
    body = ('{"image": [' + unit * (MAX_MARKS + 1) + "0]}").encode(encoding)

    with pytest.raises(ParseError, match="more than 100,000 commas"):
        JSONParser().parse(BytesIO(body))


def test_the_largest_honest_bodies_are_read() -> None:
    """1,000 addresses with 20 commas each, as image services have them, and 1,000 rectangles; 1,000 data URIs, too."""
    rectangle = dict.fromkeys(("x", "y", "width", "height"), 9)
    addresses = {"image_urls": ["https://a.example/w_1" + ",h_1" * 20] * 1000, "rectangles": [rectangle] * 1000}
    files = {name: ["data:image/png;base64,iVBORw0KGgo="] * 1000 for name in ("images", "masks")}

    for body in (addresses, files):
        assert JSONParser().parse(BytesIO(json.dumps(body).encode())) == body


@pytest.mark.parametrize("depth", range(600, 1000, 25))
def test_nesting_that_is_just_readable(alice: Account, depth: int) -> None:
    """It is no id; and reading it again for the Idempotency-Key's fingerprint fails no later than reading it."""
    body = b'{"image_id": "a", "mask_id": "b", "more": ' + b"[" * depth + b"]" * depth + b"}"
    response = alice.client.generic("POST", "/inpaint", body, "application/json", headers={"Idempotency-Key": "a"})

    assert response.status_code in (400, 404), response.content


# --- chunks ----------------------------------------------------------------------------------------------------------


def test_chunks_are_read(alice: Account) -> None:
    body = wire.multipart((b'name="image"; filename="a.png"', PICTURE))
    headers = {"X-API-Key": alice.secret, **CHUNKED}
    answer = wire.send("POST", "/api/v1/remove-watermark", body, headers, CONTENT_TYPE=MULTIPART)

    assert answer.status == 200, answer.content
    assert answer.headers["Content-Type"] == "image/png"


def test_chunks_of_json(public: Client) -> None:
    body = json.dumps(upload_both(public)).encode()

    assert wire.send("POST", "/inpaint", body, CHUNKED, CONTENT_TYPE="application/json").status == 200


def test_no_chunk_at_all(public: Client) -> None:
    answer = wire.send("POST", "/inpaint", b"", CHUNKED, CONTENT_TYPE="application/json")

    assert (answer.status, answer.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize("content_type", ["application/json", MULTIPART])
def test_chunks_past_the_limit(alice: Account, content_type: str) -> None:
    path = "/inpaint" if content_type == "application/json" else "/upload-image"
    body = wire.multipart((b'name="image"; filename="a.png"', bytes(12 << 20)))
    answer = wire.send("POST", path, body, {"X-API-Key": alice.secret, **CHUNKED}, CONTENT_TYPE=content_type)

    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")
    assert not Usage.objects.filter(charged__gt=0).exists()


def test_chunks_up_to_the_limit(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last byte that is allowed is; with one more it is 413."""
    body = wire.multipart((b'name="image"; filename="a.png"', PICTURE))
    headers = {"X-API-Key": alice.secret, **CHUNKED}
    for max_bytes, status in ((len(body), 200), (len(body) - 1, 413)):
        monkeypatch.setattr("inpainting.api.object_remover.UploadView.max_body_bytes", max_bytes)
        assert wire.send("POST", "/upload-image", body, headers, CONTENT_TYPE=MULTIPART).status == status


@pytest.mark.parametrize("name", ["图" * 255 + ".png", "a" * 1200 + ".png"])
def test_a_long_file_name(public: Client, name: str) -> None:
    """As RFC 8187 has it, with which aiohttp and others send what is not ASCII."""
    head = f"name=\"image\"; filename*=utf-8''{quote(name)}".encode()
    response = public.generic("POST", "/upload-image", wire.multipart((head, PICTURE)), MULTIPART)

    assert response.status_code == 200, response.content


COSTLY_HEADS = {
    "a quote and semicolons": 985 * [b';"' + b";" * 4000],
    "semicolons": 985 * [b";" * 3500],
    "parameters of every part": 300 * [b";a=b" * 60],
    "percent signs": 300 * [b"; a*=utf-8''" + b"%" * 4000],
    "entities": 300 * [b"; filename=" + b"&amp" * 990],
    "lines": 300 * [b"\r\na" * 1300],
    "no end within 4,096 bytes": [b"x" * 5000],
    "a charset that takes long": [b"; a*=punycode''" + b"z" * 4000],
    "the same in pieces": [b"; a*0*=puny; a*1*=code''" + b"z" * 3900],
}


@pytest.mark.parametrize("path", ["/upload-image", "/upload-mask", "/inpaint-multipart"])
@pytest.mark.parametrize("head", COSTLY_HEADS)
def test_heads_of_parts_that_take_long_to_read(public: Client, path: str, head: str) -> None:
    """Django looks through all that follows at each semicolon: 13 CPU s for the first, 4 MB."""
    body = wire.multipart(*((disposition, b"") for disposition in COSTLY_HEADS[head]))
    response = public.generic("POST", path, body, MULTIPART)

    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert "header" in response.json()["detail"]


def test_heads_of_the_largest_honest_form_are_read() -> None:
    """1,000 pictures and masks whose names have 29 Chinese letters, as RFC 8187 has them."""
    names = [f"name=\"{field}\"; filename*=utf-8''{quote('图' * 29)}" for field in ("images", "masks")]
    body = wire.multipart(*((name.encode(), b"x") for name in names * 1000))
    meta = {"CONTENT_TYPE": MULTIPART, "CONTENT_LENGTH": len(body)}
    _, files = MultiPartParser(meta, BytesIO(body), [MemoryFileUploadHandler()]).parse()

    assert [len(files.getlist(field)) for field in ("images", "masks")] == [1000, 1000]
    assert files.getlist("masks")[0].name == "图" * 29


@pytest.mark.parametrize(
    ("body", "weighed"),
    [
        (b'{"image": "AAAA"}', False),
        ('{"image": "AAAA😀"}'.encode(), True),
        (b'{"image": "AAAA\\ud83d\\ude00"}', True),
        (b'{"image": "AAAA"}'.decode().encode("utf-16-le"), True),
    ],
)
def test_json_of_letters_that_take_much_memory_is_weighed(
    body: bytes, weighed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One outside of the Basic Multilingual Plane makes four bytes of each letter of its text."""
    room = Room(len(body), most_waiting=0, wait=0)
    monkeypatch.setattr(admission, "memory", room)
    assert JSONParser().parse(BytesIO(body))["image"].startswith("AAAA")
    with room.take(1), pytest.raises(NoRoom) if weighed else nullcontext():
        JSONParser().parse(BytesIO(body))


def test_json_that_finds_no_room_is_told_to_come_later(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "memory", room := Room(1, most_waiting=0, wait=0))
    with room.take(1):
        answer = alice.client.generic("POST", "/api/v1/detect", '{"image": "😀"}'.encode(), "application/json")

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "2")
