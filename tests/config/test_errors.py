"""Errors outside of the endpoints: JSON on the API's paths, a page for a browser elsewhere."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from inpainting import health

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def test_it_works(public: Client) -> None:
    response = public.get("/api/v1/nothing")
    body = response.json()

    assert response.status_code == 404
    assert (body["error"], body["status_code"], body["code"]) == ("Not Found", 404, "not_found")
    assert body["request_id"] == response["X-Request-Id"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/download/nothing", "/inpaint-nothing"])
def test_api_paths_answer_json_to_a_browser_too(public: Client, path: str) -> None:
    assert public.get(path, headers=BROWSER).json()["code"] == "not_found"


def test_elsewhere_a_browser_gets_a_page(public: Client) -> None:
    response = public.get("/nothing", headers=BROWSER)

    assert response.status_code == 404
    assert b"<h1>Not found</h1>" in response.content
    assert b'<a href="/api/docs">' in response.content
    assert b'<a href="/docs">' in response.content


def test_elsewhere_a_program_gets_json(public: Client) -> None:
    assert public.get("/nothing").json()["code"] == "not_found"


def test_csrf(alice: Any) -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", headers={"Accept": "application/json"})

    assert response.status_code == 403
    assert response.json()["code"] == "csrf_failed"


def test_a_host_that_is_not_ours(public: Client) -> None:
    response = public.get("/api/v1/models", headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


def test_what_nobody_foresaw_is_a_500_that_tells_nothing(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise ZeroDivisionError("secret path /home/me")

    monkeypatch.setattr(health, "problem", fail)
    response = public.get("/api/v1/health")

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert b"secret" not in response.content


def test_a_page_that_fails_needs_nothing_to_say_so(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("no route to 10.0.0.7")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    public.raise_request_exception = False
    public.cookies["sessionid"] = "a" * 32
    response = public.get("/dashboard", headers=BROWSER)

    assert response.status_code == 503
    assert b"<h1>Service unavailable</h1>" in response.content
    assert b"The database cannot be reached." in response.content
    assert response["Retry-After"]
    assert b"10.0.0.7" not in response.content


def test_a_database_that_does_not_answer_is_503(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("no route to 10.0.0.7")

    monkeypatch.setattr("inpainting.storage.find_result", fail)
    response = public.get("/download/output_" + "0" * 32 + ".png")

    assert response.status_code == 503
    assert response.json()["code"] == "database_unavailable"
    assert response["Retry-After"]
    assert b"10.0.0.7" not in response.content


def test_the_schema_and_its_page(public: Client) -> None:
    assert b"/api/v1/remove-watermark" in public.get("/api/schema").content
    page = public.get("/api/docs").content.decode()
    assert "swagger-ui" in page
    assert "//cdn" not in page
