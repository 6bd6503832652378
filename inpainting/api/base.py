"""What the views of both surfaces share: who may call, how large a picture may be, which request is a repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.metering import MeteredAPIView
from accounts.models import ApiKey, Scope, User
from inpainting import health
from inpainting.api import answers
from inpainting.api.parsers import JSONParser
from inpainting.api.serializers import Fields
from inpainting.images import SizeLimit

# Text fields, boundaries and part headers of a multipart body.
FRAMING = 1 << 20

AnyFields = TypeVar("AnyFields", bound=Fields)


class PublicView(MeteredAPIView):
    """Never asks who it is."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []


class HealthView(PublicView):
    def answer(self, shape: type[answers.Health], **members: Any) -> Response:
        """Whether the service works, with the members that the surface adds; 503 where it does not."""
        problem = health.problem()
        body = {"status": "unhealthy", "detail": problem} if problem else {"status": "healthy"}
        headers = {"Retry-After": str(health.TRY_AGAIN)} if problem else {}
        return Response(shape({**body, **members}).data, status=503 if problem else 200, headers=headers)


class PictureView(MeteredAPIView):
    """Takes pictures, as large as the account's plan allows."""

    scopes: ClassVar[dict[str, Scope]] = {"POST": Scope.PROCESS}

    def size_limit(self) -> SizeLimit:
        return size_limit(self.call.user)


class FormOrJsonView(PictureView):
    """Takes a form, or the same fields as JSON, where files are base64: four characters for three bytes."""

    parser_classes = [MultiPartParser, JSONParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request._request.content_type == JSONParser.media_type:
            self.max_body_bytes = self.max_body_bytes * 4 // 3
        super().initial(request, *args, **kwargs)

    def fields(self, request: Request, of_form: type[AnyFields], of_json: type[AnyFields]) -> AnyFields:
        """Raises ValidationError, UnknownField."""
        kind = of_form if isinstance(request.data, QueryDict) else of_json
        fields = kind(data=request.data, context={"user": self.call.user})
        fields.is_valid(raise_exception=True)
        return fields


def size_limit(user: User | None) -> SizeLimit:
    """What the plan of the account allows; the service's own limits where there is none."""
    return SizeLimit.of(user.limits.max_file_bytes, user.limits.max_side) if user else SizeLimit.of(None, None)


def fingerprint(request: Request, fetched: Iterable[bytes] = ()) -> str:
    """SHA-256 over the path, the key's kind and every field: the same request again has the same, whatever its
    multipart boundary.

    `fetched`: what lay at the addresses among the fields, if the call has looked: another picture at the same address
    is another request. Empty without an Idempotency-Key, which alone asks for it.
    """
    if "Idempotency-Key" not in request.headers:
        return ""
    digest = hashlib.sha256(request.path.encode())
    if isinstance(request.auth, ApiKey) and request.auth.is_test:  # what cost nothing is no first answer of a live call
        digest.update(b" sandbox")
    for name in sorted(request.data):
        for value in request.data.getlist(name) if isinstance(request.data, QueryDict) else [request.data[name]]:
            digest.update(hashlib.sha256(name.encode()).digest())
            digest.update(_content(value).digest())
    for file in fetched:
        digest.update(hashlib.sha256(file).digest())
    return digest.hexdigest()


def _content(value: object) -> hashlib._Hash:
    """SHA-256 of a field's value; a file is read in blocks, and read again by whoever needs it."""
    if not isinstance(value, UploadedFile):
        return hashlib.sha256(str(value).encode())
    digest = hashlib.sha256()
    for block in value.chunks():  # from the beginning
        digest.update(block)
    value.seek(0)
    return digest
