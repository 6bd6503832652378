"""What the service answers, read: members of another type are refused, those that a newer service adds left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    D = TypeVar("D", bound=DataclassInstance)

LONGEST_TEXT = 1000  # characters that are shown of one
# Raised by all that reads an answer which is none of the service's.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)


def body_of(content: bytes | str) -> Mapping[str, Any]:
    """A JSON object. Raises one of UNREADABLE."""
    body: Mapping[str, Any] = _typed(Mapping, json.loads(content))
    return body


def of(kind: type[D], body: object) -> D:
    """A JSON object as `kind`. Raises one of UNREADABLE."""
    members = _typed(Mapping, body)
    hints = _hints(kind)
    # What is missing has a default, or TypeError says so.
    return kind(
        **{each.name: _value(hints[each.name], members[each.name]) for each in fields(kind) if each.name in members}
    )


def several(kind: type[D], bodies: object) -> list[D]:
    return [of(kind, each) for each in _typed(list, bodies)]


def cursor_of(body: Mapping[str, Any]) -> str | None:
    """Of the page that comes after this one."""
    following = body["next"]
    return None if following is None else parse_qs(urlsplit(_typed(str, following)).query)["cursor"][0]


def number(text: str) -> float:
    """Raises ValueError for what is none, infinite ones too."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number.")
    return value


def plain(text: object) -> str:
    """For a terminal or a language model: not endless, on one line, without control characters. Raises TypeError."""
    return "".join(each if each.isprintable() else " " for each in _typed(str, text)[:LONGEST_TEXT])


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, value: object) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):  # X | None
        return None if value is None else _value(get_args(hint)[0], value)
    if origin is list:
        return [_value(get_args(hint)[0], each) for each in _typed(list, value)]
    if is_dataclass(hint):
        return of(hint, value)  # type: ignore[arg-type]
    if hint is datetime:
        return datetime.fromisoformat(_typed(str, value).replace("Z", "+00:00"))  # Python 3.10 knows no Z
    if hint is float:
        return number(str(_typed((int, float), value)))
    return _typed(origin or hint, value)


def _typed(kind: Any, value: object) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{type(value).__name__} where {kind} is meant")
    return value
