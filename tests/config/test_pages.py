"""The public pages."""

import pytest
from django.test import Client

from inpainting import health
from tests.conftest import Account

PAGES = ["/", "/terms", "/privacy", "/acceptable-use", "/status", "/signup", "/login"]


@pytest.mark.parametrize("path", PAGES)
def test_it_works(public: Client, path: str) -> None:
    response = public.get(path)

    assert response.status_code == 200
    assert b"<h1>" in response.content
    assert b"http://cdn" not in response.content
    assert b"https://" not in response.content


def test_the_navigation_knows_who_is_signed_in(alice: Account) -> None:
    browser = Client()
    assert b"Sign up" in browser.get("/").content

    browser.force_login(alice.user)
    page = browser.get("/").content
    assert b"Sign out" in page
    assert b'href="/signup"' not in page.partition(b"<main")[0]


def test_privacy_states_the_settings(public: Client, settings: object) -> None:
    settings.UPLOAD_TTL = 3 * 3600  # type: ignore[attr-defined]
    settings.RESULT_TTL = 2 * 24 * 3600  # type: ignore[attr-defined]

    page = public.get("/privacy").content.decode().replace("\xa0", " ")
    assert "uploads are kept for 3 hours, results for 2 days" in page


def test_status_tells_what_is_down(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    down = [health.Part("Model"), health.Part("Database", "The database cannot be reached.")]
    monkeypatch.setattr(health, "parts", lambda: down)
    response = public.get("/status")

    assert response.status_code == 503
    assert b"The database cannot be reached." in response.content


def test_status_needs_no_database_itself(public: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator] # the check has a connection of its own
        public.get("/status")


def test_an_icon_for_pages_that_name_none(public: Client) -> None:
    answer = public.get("/favicon.ico")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/static/icon")
    assert answer["Location"].endswith(".svg")
