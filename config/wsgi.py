"""The WSGI application that gunicorn serves: Django's, and around it what answers where Django cannot."""

from __future__ import annotations

import logging
import os
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config import exceptions, heads, telemetry  # noqa: E402 - they need the apps

logger = logging.getLogger(__name__)


class Request(WSGIRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """Bodies are UTF-8 whatever charset they claim; a content type that cannot be read counts as none."""
        try:
            self.content_type, self.content_params = heads.parse_parameters(meta.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError, TypeError):
            meta["CONTENT_TYPE"] = self.content_type = ""
            self.content_params = {}
        self.content_params.pop("charset", None)


class Application(WSGIHandler):
    request_class = Request

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """What fails before or after Django's own handlers is told as they tell it."""
        if heads.are_costly(environ):
            return _answer(431, *exceptions.outside_of_django(431), start_response)
        try:
            return super().__call__(environ, start_response)
        except Exception as error:
            status = 400 if isinstance(error, UnicodeError) else 500  # what was sent is no text
            content, headers = exceptions.outside_of_django(status)
            logger.exception("outside of Django %s", headers["X-Request-Id"])
            return _answer(status, content, headers, start_response)


def _answer(status: int, content: bytes, headers: dict[str, str], start_response: StartResponse) -> list[bytes]:
    start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
    return [content]


logging.captureWarnings(True)  # Python's are lines of the log like all others
telemetry.start()  # after gunicorn's fork, which it would not survive; before the middleware is loaded, which it joins
application = Application()
