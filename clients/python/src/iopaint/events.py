"""Server-sent events (WHATWG HTML, 9.2.6) of an answer that is still open."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from iopaint import errors
from iopaint.reading import UNREADABLE, of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    D = TypeVar("D", bound=DataclassInstance)

LONGEST = 1 << 20  # bytes of an event


@dataclass(frozen=True)
class ReadPart:
    """Of an open answer. Sent back: bytes, None at its end, or what httpx raised where it broke."""

    answer: httpx.Response


@dataclass(frozen=True)
class Event:
    answer: httpx.Response  # which it is of
    kind: str
    id: str
    data: str

    def as_(self, kind: type[D]) -> D:
        """Raises UnexpectedAnswer where its data is none."""
        try:
            return of(kind, json.loads(self.data))
        except UNREADABLE as error:
            raise errors.unexpected(self.answer) from error


class Events:
    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self._rest = bytearray()

    def next(self) -> Generator[ReadPart, Any, Event | None]:
        """None: the stream has ended or broken. Raises UnexpectedAnswer where it is none of the service's."""
        kind, id, data = "message", "", ""
        while (line := (yield from self._line())) is not None:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "id":
                id = value
            elif name == "data":
                data += value
            elif not line and data:
                return Event(self._answer, kind, id, data)
            if len(data) > LONGEST or not (id.isascii() and (id.isprintable())):  # it is sent back as a header
                raise errors.unexpected(self._answer)
        return None

    def _line(self) -> Generator[ReadPart, Any, str | None]:
        while b"\n" not in self._rest:
            part = yield ReadPart(self._answer)
            if not isinstance(part, bytes):
                return None
            self._rest += part
            if len(self._rest) > 2 * LONGEST:
                raise errors.unexpected(self._answer)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.removesuffix(b"\r").decode(errors="replace")
