"""Heads and addresses that no client writes by accident: an answer in our form, never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.exceptions import ParseError, ValidationError

from config import heads, wsgi
from config.exceptions import classify
from config.fetching import UrlUnreachable
from inpainting.images import InvalidImage
from tests import wire

CONTENT_TYPES = [
    "application/json; charset*=",
    "application/json; charset*=x",
    "application/json; charset*=x''y",
    "application/json; charset*=idna''%ff",
    "application/json; charset*0*=zlib''a; charset*1=b",
    "application/json; charset=zlib",
    "application/json; charset=idna",
    "application/json; charset=undefined",
    "application/json; charset=utf-16",
    "application/json; charset=\x00",
    "application/json; charset=" + "9" * 5000,
    "multipart/form-data; boundary*=zlib''x",
    "multipart/form-data; boundary=x; charset=rot13",
    "multipart/form-data; boundary=x; charset=uu",
    "multipart/form-data; boundary=\xff",
    "application/x-www-form-urlencoded; charset=punycode",
    ";",
    "; charset=idna",
    "\xff\xfe",
    "a/b; *=1",
    "a/b; x*0*0*=1",
    "multipart/form-data; boundary*=punycode''" + "z" * 8000,
    "multipart/form-data; boundary*=unicode_escape''%5Cud800",
    "multipart/form-data; boundary*0*=uni; boundary*1*=code_escape''%5Cud800",
]
BODIES = [
    b"{}",
    b'{"image_id": "\xff"}',
    wire.multipart((b'name="image"; filename="a"', b"x"), (b'name="\xff"', b"\xff")),
]


@pytest.mark.parametrize("path", ["/inpaint", "/upload-image", "/inpaint-multipart", "/login", "/nothing"])
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_content_types(db: None, path: str, content_type: str) -> None:
    for body in BODIES:
        answer = wire.send("POST", path, body, CONTENT_TYPE=content_type)
        assert 400 <= answer.status < 500, answer
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


SURROGATES = ["unicode_escape''%5Cud800", "raw_unicode_escape''%5Cud800", "utf-7''%2B2AA-"]


@pytest.mark.parametrize("boundary", SURROGATES)
@pytest.mark.parametrize("path", ["/upload-image", "/upload-mask", "/inpaint-multipart"])
def test_a_boundary_that_decodes_to_half_a_character(db: None, path: str, boundary: str) -> None:
    answer = wire.send("POST", path, b"--x\r\n\r\n", CONTENT_TYPE=f"multipart/form-data; boundary*={boundary}")

    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")  # it is in no charset we know


@pytest.mark.parametrize(
    "error",
    [InvalidImage("\ud800"), UrlUnreachable("\udfff"), ParseError("\ud800"), ValidationError({"a": ["\ud800"]})],
)
def test_no_error_tells_half_a_character(error: Exception) -> None:
    """It could be neither sent nor kept as an item's error."""
    status, _, text = classify(error)

    assert status == 400
    assert "\\ud" in text.encode().decode()


@pytest.mark.parametrize("charset", ["utf-16", "zlib", "idna", "latin-1"])
def test_json_is_utf_8_whatever_its_charset(db: None, charset: str) -> None:
    content_type = f"application/json; charset={charset}"
    answer = wire.send("POST", "/inpaint", b'{"image_id": "a", "mask_id": "b"}', CONTENT_TYPE=content_type)

    assert (answer.status, answer.json()["code"]) == (404, "not_found")


PATHS = ["/\xff", "/api/v1/\xff\xfe", "/download/\xff", "/" + "a" * 70_000, "/%", "//", "/\x00", "/download/..%2f..%2f"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PROPFIND", "x" * 999])
def test_paths(db: None, method: str, path: str) -> None:
    answer = wire.send(method, "/", PATH_INFO=path)

    assert 400 <= answer.status < 500, answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "\xff"},
        {"Host": "a" * 9000},
        {"Cookie": "sessionid=\xff; csrftoken=\x00; \xff"},
        {"Accept": "\xff/\xff;q=\xff"},
        {"Accept": "*/*;q=" + "9" * 5000},
        {"Accept-Language": "x" * 9000},
        {"If-None-Match": "\xff"},
        {"If-Modified-Since": "Mon, 99 Jan 99999999999999999999 00:00:00 GMT"},
        {"Origin": "https://[", "Access-Control-Request-Method": "POST"},
        {"Origin": "\xff"},
        {"Authorization": "Bearer \xff"},
        {"X-API-Key": "\xff\x00"},
        {"X-API-Key": "sk_live_" + "a" * 9000},
        {"Idempotency-Key": "\xff"},
        {"X-Forwarded-For": "\xff, [, ::, 1.2.3.4:5:6"},
        {"Range": "bytes=" + "9" * 5000 + "-"},
    ],
)
@pytest.mark.parametrize("path", ["/inpaint", "/api/v1/stats", "/download/output_" + "0" * 32 + ".png", "/", "/login"])
def test_headers(db: None, path: str, headers: dict[str, str]) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = wire.send(method, path, b"{}", headers, CONTENT_TYPE="application/json")
        assert answer.status < 500, answer


COSTLY: dict[str, dict[str, Any]] = {
    "parameters": {"CONTENT_TYPE": 'a/b;"' + ";" * 8100},
    "parameters without a quote": {"CONTENT_TYPE": "a/b" + ";" * 8100},
    "percent signs": {"CONTENT_TYPE": "a/b; x*=utf-8''" + "%" * 8100},
    "parameters of Accept": {"HTTP_ACCEPT": 'a/b;"' + ";" * 8100},
    "parameters of Content-Disposition": {"HTTP_CONTENT_DISPOSITION": 'a/b;"' + ";" * 8100},
    "backslashes": {"HTTP_COOKIE": 'a="' + "\\" * 8000 + '"'},
    "backslashes and quotes": {"HTTP_COOKIE": 'a="' + '\\"' * 4000 + '"'},
    "a hundred headers of one name": {"HTTP_COOKIE": ",".join(['a="' + "x" * 8000 + '"'] * 100)},
    "a hundred others of one name": {"HTTP_X_FORWARDED_FOR": ",".join(["1.1.1.1"] * 100_000)},
}


@pytest.mark.parametrize("path", ["/health", "/api/v1/models", "/login", "/nothing"])
@pytest.mark.parametrize("head", COSTLY)
def test_heads_that_take_long_to_read(path: str, head: str) -> None:
    """Django looks through all of it at each semicolon, Python's cookies at each backslash: neither is asked."""
    answer = wire.send("GET", path, **COSTLY[head])

    assert (answer.status, answer.json()["code"]) == (431, "headers_too_large")
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_heads_that_browsers_send(db: None) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8,a/b;v=b3;q=0.7"
    cookie = "; ".join([f'c{number}="{{\\"id\\": 1}}"' for number in range(20)] + [f"n{i}=v" for i in range(200)])
    answer = wire.send(
        "GET", "/health", HTTP_ACCEPT=accept, HTTP_COOKIE=cookie, CONTENT_TYPE="a/b; c*=UTF-8''%e2%82%ac"
    )

    assert answer.status == 200


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7"])
def test_charsets_that_take_long_to_read(charset: str) -> None:
    with pytest.raises(ValueError, match="charset"):
        heads.parse_parameters(f"form-data; name*0*={charset[:3]}; name*1*={charset[3:]}''{'z' * 8000}")


def test_a_script_name_that_is_no_text(db: None) -> None:
    answer = wire.send("GET", "/health", SCRIPT_NAME="/\xff")

    assert (answer.status, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_a_long_script_name(db: None) -> None:
    assert wire.send("GET", "/health", SCRIPT_NAME="/" + "a" * 70_000).status < 500


def test_what_nobody_foresaw(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise ZeroDivisionError("secret path /home/me")

    monkeypatch.setattr(wsgi.Request, "_set_content_type_params", fail)
    answer = wire.send("GET", "/health")

    assert (answer.status, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    assert b"secret" not in answer.content


@pytest.mark.parametrize("query", ["format=xml", "format=api", "format=\xff", "lang=xx", "format=json", "format="])
def test_the_schema(db: None, query: str) -> None:
    answer = wire.send("GET", "/api/schema?" + query)

    assert answer.status in (200, 404)
    if answer.status == 404:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["code"] == "not_found"
