"""FORM_RATE: how many forms an address may send; and how large a form may be."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.accounts.conftest import PAGE
from tests.inpainting.api.test_remove_watermark import send


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Any) -> None:
    settings.FORM_RATE = "3/m"


def post(client: Client, **extra: Any) -> Any:
    return client.post("/account/password/reset/", {"email": "nobody@example.org"}, **extra)


def test_it_works(db: None) -> None:
    browser = Client(headers=PAGE)
    assert [post(browser).status_code for _ in range(4)] == [302, 302, 302, 429]

    response = post(browser)
    assert 0 < int(response["Retry-After"]) <= 60
    assert b"<h1>Too many requests</h1>" in response.content


def test_looking_is_free(public: Client) -> None:
    assert {public.get("/login").status_code for _ in range(5)} == {200}


def test_another_address(public: Client) -> None:
    for _ in range(4):
        post(public)

    assert post(public, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_forged_forwarded_address_does_not_help(public: Client) -> None:
    statuses = [post(public, headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code for number in range(4)]

    assert statuses[-1] == 429


def test_a_form_without_its_token_counts(db: None) -> None:
    browser = Client(headers=PAGE, enforce_csrf_checks=True)

    assert [post(browser).status_code for _ in range(4)] == [403, 403, 403, 429]


def test_the_api_is_no_form(alice: Any) -> None:
    for _ in range(5):
        assert send(alice.client).status_code == 200


def test_django_allauths_own_limits_answer_alike(public: Client, settings: Any) -> None:
    settings.FORM_RATE = "1000/m"
    for _ in range(21):
        response = public.post("/signup", {"email": "no address"}, headers=PAGE)

    assert response.status_code == 429
    assert b"<h1>Too many requests</h1>" in response.content


@pytest.mark.parametrize("path", ["/login", "/signup", "/account/password/reset/", "/no-such-page"])
def test_a_megabyte_is_no_form(public: Client, path: str) -> None:
    large = SimpleUploadedFile("large.bin", bytes((1 << 20) + 1))
    response = public.post(path, {"login": large}, headers=PAGE)

    assert response.status_code == (404 if path == "/no-such-page" else 413)
