"""Which paths are the API's, read off the URLs: an error there is JSON, whatever the client would rather have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView


def is_api(path: str) -> bool:
    """Whether `path` is an API view's, or begins as one does: /api/v1/nothing and /download/nothing are the API's."""
    return path.startswith(_beginnings())


@cache
def _beginnings() -> tuple[str, ...]:
    """The first part of each API view's path: /inpaint, and where there are more parts, /download/."""
    return tuple({beginning for route in _api_routes(get_resolver()) if (beginning := _first_part(route))})


def _api_routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern).removeprefix("^")
        if isinstance(each, URLResolver):
            yield from _api_routes(each, route)
        elif isinstance(each, URLPattern) and issubclass(getattr(each.callback, "cls", object), APIView):
            yield route


def _first_part(route: str) -> str:
    found = re.match(r"[\w-]+/?", route)
    return f"/{found[0]}" if found else ""
