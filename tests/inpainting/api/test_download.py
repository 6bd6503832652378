"""GET and HEAD /download/{filename} and /result/{filename}."""

import hashlib
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from inpainting import storage
from inpainting.models import Result
from tests.inpainting.api.test_remove_watermark import refused

DATA = b"the bytes of a picture" * 1000


@pytest.fixture
def result(db: None) -> Result:
    return storage.put_result(DATA, None)


@pytest.mark.parametrize("path", ["download", "result"])
def test_it_works(public: Client, result: Result, path: str) -> None:
    response = public.get(f"/{path}/{result.name}")

    assert b"".join(response.streaming_content) == DATA  # type: ignore[attr-defined]
    assert response["Content-Type"] == "image/png"
    assert response["Content-Length"] == str(len(DATA))
    assert response["Content-Disposition"].startswith("inline")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["ETag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert "immutable" in response["Cache-Control"]


def test_head_has_the_headers_and_no_body(public: Client, result: Result) -> None:
    response = public.head(f"/download/{result.name}")

    assert response.status_code == 200
    assert response["Content-Length"] == str(len(DATA))
    assert response.content == b""


def test_who_has_it_already_gets_304(public: Client, result: Result) -> None:
    etag = public.head(f"/download/{result.name}")["ETag"]
    modified = public.head(f"/download/{result.name}")["Last-Modified"]

    assert public.get(f"/download/{result.name}", headers={"If-None-Match": etag}).status_code == 304
    assert public.get(f"/download/{result.name}", headers={"If-Modified-Since": modified}).status_code == 304
    assert public.get(f"/download/{result.name}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_expired_result_is_gone_and_swept(public: Client, result: Result) -> None:
    Result.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    refused(public.get(f"/download/{result.name}"), 404, "not_found")
    assert storages["results"].exists(result.name)
    call_command("sweep")
    assert not storages["results"].exists(result.name)
    assert not Result.objects.exists()


def test_a_result_that_was_never_finished(public: Client, result: Result) -> None:
    Result.objects.update(written=False)

    refused(public.get(f"/download/{result.name}"), 404, "not_found")


def test_a_result_whose_file_is_lost(public: Client, result: Result) -> None:
    storages["results"].delete(result.name)

    refused(public.get(f"/download/{result.name}"), 404, "not_found")


@pytest.mark.parametrize(
    "name",
    [
        "output_" + "0" * 32 + ".png",
        "output_" + "G" * 32 + ".png",
        "../db.sqlite3",
        "..%2f..%2fdb.sqlite3",
        "output_" + "0" * 32 + ".png%0a",
        "output_" + "0" * 32 + ".png/",
        "",
    ],
)
def test_another_name(public: Client, name: str) -> None:
    refused(public.get(f"/download/{name}"), 404, "not_found")


def test_post_is_no_method_of_it(public: Client, result: Result) -> None:
    refused(public.post(f"/download/{result.name}"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "header", [{"If-Match": '"another"'}, {"If-Unmodified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"}]
)
def test_a_condition_that_fails(public: Client, result: Result, header: dict[str, str]) -> None:
    refused(public.get(f"/download/{result.name}", headers=header), 412, "precondition_failed")
