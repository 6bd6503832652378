"""Bodies to fields, as programs really write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import multipartparser
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.utils import json


class JSONParser(parsers.BaseParser):
    """Not a kind of DRF's own: to such DRF gives no body past DATA_UPLOAD_MAX_MEMORY_SIZE, and pictures are larger.

    How much is read is bounded by the view's max_body_bytes.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """UTF-8, 16 or 32, with or without a byte order mark (RFC 8259, 8.1). What is no text of Unicode is refused."""
        try:
            data = json.loads(stream.read())
            json.dumps(data, ensure_ascii=False).encode()  # lone surrogates could be neither stored nor sent back
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        return data


class _Parts:
    """Django's own drops a part's header that is not UTF-8, and with it the file: here such bytes are replaced."""

    def __init__(self, stream: Any, boundary: bytes) -> None:
        self._stream, self._separator = stream, b"--" + boundary

    def __iter__(self) -> Iterator[Any]:
        for part in django.InterBoundaryIter(self._stream, self._separator):
            start = part.read(django.MAX_TOTAL_HEADER_SIZE)
            head, blank, content = start.partition(b"\r\n\r\n")
            part.unget(head.decode(errors="replace").encode() + blank + content if blank else start)
            yield django.parse_boundary_stream(part, django.MAX_TOTAL_HEADER_SIZE)


django: Any = multipartparser  # its types leave out what it does not document
django.Parser = _Parts  # it has no other place for it
