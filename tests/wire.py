"""Requests as a web server hands them over: to the whole WSGI application, which the test client goes around."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory

from config.wsgi import application


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


def send(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, **environ: Any) -> Answer:
    """`environ`: more of WSGI's variables, such as CONTENT_TYPE. With a Transfer-Encoding no length is told."""
    whole: dict[str, Any] = RequestFactory(headers=headers).generic(method, path, body).environ
    whole |= {"wsgi.input": io.BytesIO(body), **environ}
    if "HTTP_TRANSFER_ENCODING" in whole:
        whole.pop("CONTENT_LENGTH", None)
    told: list[Any] = []

    def start_response(status: str, response_headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        told[:] = [int(status.split(maxsplit=1)[0]), dict(response_headers)]

    with _open_connections():
        response = application(whole, start_response)
        try:
            return Answer(told[0], told[1], b"".join(response))
        finally:
            getattr(response, "close", lambda: None)()


@contextmanager
def _open_connections() -> Iterator[None]:
    """A request closes its connection to the database, which is the test's, too."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def multipart(*parts: tuple[bytes, bytes], boundary: str = "x") -> bytes:
    """`parts`: the value of each one's Content-Disposition after form-data, and its content."""
    lines = [
        line
        for disposition, content in parts
        for line in (
            f"--{boundary}".encode(),
            b"Content-Disposition: form-data; " + disposition,
            b"Content-Type: image/png",
            b"",
            content,
        )
    ]
    return b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])
