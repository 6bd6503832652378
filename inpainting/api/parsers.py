"""Bodies to fields, as programs really write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import multipartparser
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.utils import json

from config import heads
from inpainting import admission

# Commas and opening brackets of a body: base64 has none, 1,000 rectangles 5,000, and the largest batch by address a few
# thousand, which leaves room for commas in the addresses. Each may become an object of Python, and none else does.
MAX_MARKS = 100_000
# Bytes of memory for each of a body that has other letters than ASCII's: a text with one that is outside of the Basic
# Multilingual Plane takes four for each of its letters, and there are three of it at a time.
WIDE = 12


class JSONParser(parsers.BaseParser):
    """Not a kind of DRF's own: to such DRF gives no body past DATA_UPLOAD_MAX_MEMORY_SIZE, and pictures are larger.

    How much is read is bounded by the view's max_body_bytes, and what it may grow to in memory by MAX_MARKS: reading
    27 MB of empty lists would hold Python's lock for seconds.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """UTF-8, 16 or 32, with or without a byte order mark (RFC 8259, 8.1). What is no text of Unicode is refused.

        NoRoom: come later.
        """
        body = stream.read()
        if sum(map(body.count, (b",", b"[", b"{"))) > MAX_MARKS:
            raise ParseError(f"JSON parse error - more than {MAX_MARKS:,} commas and opening brackets")
        narrow = body.isascii() and not any(mark in body for mark in (b"\\u", b"\0"))
        try:
            if narrow:
                return json.loads(body)
            with admission.memory.take(WIDE * len(body)):
                data = json.loads(body)
                json.dumps(data, ensure_ascii=False).encode()  # lone surrogates could be neither stored nor sent back
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        return data


MAX_HEAD = 4096  # bytes of a part's headers
# Microseconds, about, that reading one of these in a part's headers takes, and those of all parts: for 1,000 pictures
# and masks whose names have 29 Chinese letters.
COSTS = {b";": 20, b"%": 1, b"&": 1, b"\n": 1}
MAX_COST = 100_000 + 100 * settings.DATA_UPLOAD_MAX_NUMBER_FIELDS


class _Parts:
    """Django's own drops a part whose head is not UTF-8 or has over 1,024 bytes, and with it the file.

    Here such bytes are replaced. 255 Chinese letters take 2,295 bytes as RFC 8187 writes a file name.
    It also drops the last part of a body without an end (a mask, say); here such a body is refused, and one whose
    heads would take long to read: at each semicolon it looks through all that follows, whatever for.
    """

    def __init__(self, stream: Any, boundary: bytes) -> None:
        self._stream, self._separator = stream, b"--" + boundary

    def __iter__(self) -> Iterator[Any]:
        start, cost = b"", 0
        for part in django.InterBoundaryIter(self._stream, self._separator):
            start = part.read(MAX_HEAD)
            head, blank, content = start.partition(b"\r\n\r\n")
            cost += sum(head.count(mark) * each for mark, each in COSTS.items()) if blank else 0
            if (not blank and len(start) == MAX_HEAD) or head.count(b";") > heads.MAX_MARKS or cost > MAX_COST:
                raise django.MultiPartParserError("The headers of its parts are too long, or have too many parameters.")
            part.unget(head.decode(errors="replace").encode() + blank + content if blank else start)
            yield django.parse_boundary_stream(part, 3 * MAX_HEAD)  # a byte that is replaced becomes three
        if not start.startswith(b"--"):  # of what follows the last separator, which RFC 2046 ends with them
            raise django.MultiPartParserError("The body is cut off: its closing boundary is missing.")


def _parse_parameters(line: str) -> tuple[str, dict[str, str]]:
    """Django's own drops the part, and with it the file."""
    try:
        return heads.parse_parameters(line)
    except ValueError as error:
        raise django.MultiPartParserError("The headers of a part cannot be read.") from error


django: Any = multipartparser  # its types leave out what it does not document
django.Parser, django.parse_header_parameters = _Parts, _parse_parameters  # it has no other place for them
