"""Content-Security-Policy: what a page may load, run and be sent to; a browser checks it in tests/browser."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.config.test_errors import BROWSER


def policy(response: Any) -> dict[str, str]:
    """Its directives, and what each allows."""
    directives = (one.strip().partition(" ") for one in response["Content-Security-Policy"].split(";"))
    return {name: allowed for name, _, allowed in directives}


@pytest.mark.parametrize("path", ["/", "/login", "/admin/login/", "/nothing", "/api/v1/health", "/api/v1/nothing"])
def test_it_works(public: Client, path: str) -> None:
    found = policy(public.get(path, headers=BROWSER, follow=True))

    assert found["default-src"] == found["style-src"] == "'self'"
    assert found["object-src"] == found["base-uri"] == found["frame-ancestors"] == "'none'"
    assert found["form-action"].startswith("'self'")
    assert "unsafe" not in str(found)


def test_only_swagger_ui_may_style_its_elements(public: Client) -> None:
    found = policy(public.get("/api/docs"))

    assert found.pop("style-src") == "'self' 'unsafe-inline'"
    assert "unsafe" not in str(found)


def test_the_style_of_a_failures_page_is_let_in(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("config.pages.health.parts", fail)
    public.raise_request_exception = False
    response = public.get("/status", headers=BROWSER)

    assert response.status_code == 500
    (nonce,) = re.findall(r'<style nonce="([^"]+)">', response.content.decode())
    assert policy(response)["style-src"] == f"'self' 'nonce-{nonce}'"
