"""/api/schema: made once, kept, and the same for everybody."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from config import openapi


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each time that it is made, from a start on."""
    times: list[object] = []
    make: Any = SchemaGenerator.get_schema

    def counted(self: SchemaGenerator, *arguments: Any, **named: Any) -> Any:
        times.append(self)
        return make(self, *arguments, **named)

    monkeypatch.setattr(openapi, "_made", {})
    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    return times


@pytest.mark.parametrize(
    ("query", "accept", "type"),
    [
        ("", "*/*", "application/vnd.oai.openapi; charset=utf-8"),
        ("?format=json", "*/*", "application/vnd.oai.openapi+json"),
        ("", "application/json", "application/json"),
    ],
)
def test_it_works(public: Client, made: list[object], query: str, accept: str, type: str) -> None:
    for _ in range(3):
        response = public.get("/api/schema" + query, headers={"Accept": accept})
        assert (response.status_code, response["Content-Type"]) == (200, type)
        assert b"/api/v1/remove-watermark" in response.content

    assert len(made) == 1
    again = public.get("/api/schema" + query, headers={"Accept": accept, "If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_it_does_not_depend_on_who_asks(public: Client, made: list[object]) -> None:
    usual = public.get("/api/schema").content

    assert public.get("/api/schema?version=7&lang=de", headers={"Host": "localhost:9"}).content == usual
    assert len(made) == 1


def test_first_calls_at_once(made: list[object]) -> None:
    [renderer, *_] = openapi.Schema.renderer_classes
    together = Barrier(6)

    def ask(_: int) -> bytes:
        together.wait()
        return openapi._file(renderer())[0]

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(ask, range(6)))) == 1
    assert len(made) == 1
