"""DELETE /download/{filename}, /result/{filename} and /upload-image/{id}."""

import uuid

import pytest
from django.core.files.storage import storages
from django.test import Client
from pytest_django import Settings

from accounts.models import ApiKey, Usage
from inpainting.models import Result, Upload
from tests.conftest import Account
from tests.inpainting.api.test_object_remover import content, inpaint, multipart, upload, upload_both
from tests.inpainting.api.test_remove_watermark import refused


@pytest.mark.parametrize("path", ["download", "result"])
def test_it_works(public: Client, path: str) -> None:
    name = multipart(public).json()["result"]

    assert public.delete(f"/{path}/{name}").status_code == 204
    assert not Result.objects.exists()
    assert not storages["results"].exists(name)
    refused(public.get(f"/{path}/{name}"), 404, "not_found")
    refused(public.delete(f"/{path}/{name}"), 404, "not_found")


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_an_upload(public: Client, kind: str) -> None:
    id = upload(public, kind).json()["id"]

    assert public.delete(f"/upload-image/{id}").status_code == 204
    assert not Upload.objects.exists()
    assert not storages["uploads"].exists(id)
    refused(public.delete(f"/upload-image/{id}"), 404, "not_found")


def test_what_an_account_made_only_that_account_deletes(alice: Account, bob: Account, public: Client) -> None:
    made = [f"/upload-image/{upload(alice.client, 'image').json()['id']}"]
    made.append(f"/download/{multipart(alice.client).json()['result']}")

    for path in made:
        refused(bob.client.delete(path), 404, "not_found")
        refused(public.delete(path), 404, "not_found")
        assert alice.client.delete(path).status_code == 204


def test_a_key_that_may_only_read_deletes_nothing(alice: Account) -> None:
    name = multipart(alice.client).json()["result"]
    ApiKey.objects.update(scopes=["read"])

    refused(alice.client.delete(f"/download/{name}"), 403, "insufficient_scope")
    assert alice.client.get(f"/download/{name}").status_code == 200


def test_a_server_with_a_token_asks_for_it(public: Client, settings: Settings) -> None:
    name = multipart(public).json()["result"]
    settings.API_TOKEN = "token"

    refused(public.delete(f"/download/{name}"), 401, "missing_api_token")
    assert public.get(f"/download/{name}").status_code == 200
    assert public.delete(f"/download/{name}", headers={"Authorization": "Bearer token"}).status_code == 204


def test_an_unknown_upload(public: Client) -> None:
    refused(public.delete(f"/upload-image/{uuid.uuid4()}"), 404, "not_found")


def test_a_repeat_of_what_was_deleted_is_computed_again_uncharged(alice: Account) -> None:
    ids = upload_both(alice.client)

    def ask() -> str:
        return str(inpaint(alice.client, ids, headers={"Idempotency-Key": "k"}).json()["result"])

    first = ask()
    pixels = content(alice.client, first)
    alice.client.delete(f"/download/{first}")

    again = ask()
    assert again != first
    assert content(alice.client, again) == pixels
    assert ask() == again
    assert Usage.objects.get().charged == 1
