"""The OpenAPI file as it is served: made once in a process, and kept."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

_making = threading.Lock()  # drf-spectacular loads its parts when first asked, and not for several threads at once
_made: dict[str, tuple[bytes, str]] = {}  # by media type: the file and its ETag


def _file(renderer: Any) -> tuple[bytes, str]:
    with _making:
        if renderer.media_type not in _made:
            schema = SpectacularAPIView.generator_class().get_schema(request=None, public=True)
            file = renderer.render(schema, renderer.media_type, {})
            _made[renderer.media_type] = file, f'"{hashlib.sha256(file).hexdigest()[:32]}"'
        return _made[renderer.media_type]


class Schema(SpectacularAPIView):
    """YAML or JSON, as Accept or ?format= asks. It is the same for everybody; with its ETag it is not sent twice."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        renderer: Any = request.accepted_renderer
        file, etag = _file(renderer)
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        response = HttpResponse(file, content_type=renderer.media_type + charset)
        name: str = self._get_filename(request, None)  # type: ignore[no-untyped-call]
        response["Content-Disposition"] = f'inline; filename="{name}"'
        response["ETag"] = etag
        return get_conditional_response(request._request, etag=etag, response=response) or response
