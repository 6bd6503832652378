"""Methods that a path does not have: refused or answered, never a 500."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
VALUES = {"uuid": str(uuid.uuid4()), "slug": "start", "int": "1", "str": "a", "path": "a"}


def paths(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    """Every path of the service, with something in its gaps."""
    for each in resolver.url_patterns:
        text = before + filled(str(each.pattern))
        if isinstance(each, URLPattern):
            yield text
        else:
            yield from paths(each, text)


def filled(pattern: str) -> str:
    pattern = re.sub(r"<(?:(\w+):)?\w+>", lambda gap: VALUES[gap[1] or "str"], pattern.replace("(?P", ""))
    return re.sub(r"[\^$()\\]|\\Z", "", pattern)


PATHS = sorted(set(paths(get_resolver())))


def test_all_are_there() -> None:
    assert len(PATHS) > 150
    assert {"/", "/api/docs", "/api/v1/batch", f"/batches/{VALUES['uuid']}", "/login"} <= set(PATHS)


@pytest.mark.parametrize("method", METHODS)
def test_no_path_fails(db: None, method: str) -> None:
    visitor = Client(raise_request_exception=False)

    answers = {path: visitor.generic(method, path).status_code for path in PATHS if path != "/readyz"}  # it is not yet
    assert {path: status for path, status in answers.items() if status >= 500} == {}
