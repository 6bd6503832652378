"""What drf-spectacular cannot read off the views: how to authenticate, errors by status and code, headers, webhooks."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from accounts.webhooks.events import TYPES
from accounts.webhooks.models import WORDS


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "X-API-Key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key from the dashboard."}


class ApiTokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.ApiTokenAuthentication"
    name = "API_TOKEN"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The server's API_TOKEN, if it has one. An X-API-Key works too.",
        }

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        return [{self.name: []}, {ApiKeyScheme.name: []}, {}]


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters. The same request again under it is charged once.",
)
PREFER = {
    "in": "header",
    "name": "Prefer",
    "schema": {"type": "string", "example": "respond-async"},
    "description": "respond-async (RFC 7240): the answer is 202 at once, with a batch of this picture.",
}
PLAN_HEADERS = [
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Quota-Limit",
    "X-Quota-Remaining",
    "X-Quota-Reset",
    "X-Sandbox",
]
CHARGE_HEADERS = ["X-Credits-Charged", "Idempotency-Replayed"]
HEADERS = {
    "X-Request-Id": ("string", "Name it to support. Errors have it in their body, too."),
    "X-RateLimit-Limit": ("integer", "Requests a minute that the plan allows; absent without a limit."),
    "X-RateLimit-Remaining": ("integer", "Requests that are left now."),
    "X-RateLimit-Reset": ("integer", "On 429 when the next request will pass, else when all are back; epoch seconds."),
    "X-Quota-Limit": ("integer", "Pictures a period that the plan allows; absent without a limit."),
    "X-Quota-Remaining": ("integer", "Pictures that are left in this period."),
    "X-Quota-Reset": ("integer", "When the next period begins; epoch seconds."),
    "X-Credits-Charged": ("integer", "Pictures that this request was charged; absent where it was none."),
    "Idempotency-Replayed": ("boolean", "The request had been answered under its Idempotency-Key before."),
    "X-Sandbox": ("boolean", "The key is a test key: nothing is charged, results are stamped. Else absent."),
    "Retry-After": ("integer", "Seconds until it is worth to try again."),
    "WWW-Authenticate": ("string", "How to authenticate."),
}
DESCRIPTIONS = {
    400: "Something in the request is wrong; `detail` says what.",
    401: "No key or token, or one that is not valid.",
    403: "The API token is wrong, or the key may not be used for this, or from there.",
    404: "There is no such thing, or it has expired, or is another account's.",
    408: "The request came too slowly, or ended too early.",
    409: "The first request with this Idempotency-Key is still worked on; the webhook endpoint is disabled; or nothing "
    "failed that could be tried again.",
    413: "The body is too large. It was not read.",
    415: "The Content-Type is none that this takes.",
    422: "The Idempotency-Key belongs to another request.",
    429: "Too fast (`rate_limited`, `too_many_calls`), or no pictures left (`quota_exceeded`, `key_quota_exceeded`).",
    503: "No room now, or a part of the service is away. Nothing was charged.",
}
WEBHOOK_DATA = {"batch": "Batch", "item": "Item", "quota": ""}  # by the type's first word: the component
QUOTA_LOW = {
    "type": "object",
    "required": ["percent", "plan", "quota"],
    "properties": {
        "percent": {"enum": [80, 100]},
        "plan": {"type": "string"},
        "quota": {"$ref": "#/components/schemas/Quota"},
    },
}
WEBHOOK_HEADERS = {
    "webhook-id": "The same in every attempt: handle none twice.",
    "webhook-timestamp": "When it was sent; epoch seconds.",
    "webhook-signature": "v1,BASE64 of HMAC-SHA256 over id.timestamp.body; several, with spaces, while secrets change.",
}
ERROR_HEADERS = {401: ["WWW-Authenticate"], 409: ["Retry-After"], 429: ["Retry-After"], 503: ["Retry-After"]}
ERROR = {
    "type": "object",
    "required": ["error", "detail", "status_code", "code", "request_id"],
    "properties": {
        "error": {"type": "string", "example": "Bad Request"},
        "detail": {"type": "string", "example": "Invalid image format: cannot identify image file"},
        "status_code": {"type": "integer", "example": 400},
        "code": {"type": "string", "example": "invalid_image", "description": "For programs: it never changes."},
        "request_id": {"type": "string", "description": "Also in the X-Request-Id header."},
        "index": {
            "type": "integer",
            "description": "Of the picture for which a batch is refused, from 0; absent otherwise.",
        },
    },
}
# Operations that name what there should be elsewhere than in the path, in a page's cursor. Those that process pictures
# may be given an upload's or a saved mark's id.
NAMING = [("Deliveries", "GET"), ("Batches", "GET"), ("Marks", "GET")]

CONFLICTING = ("Test", "Replay", "ReplayOne", "Retry")  # with a disabled endpoint, with a batch without failures


class FileField(OpenApiSerializerFieldExtension):
    """A file that is sent. Answers of ours have none: drf-spectacular would show an address."""

    target_class = "rest_framework.serializers.FileField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, str]:
        return {"type": "string", "format": "binary"}


class Operation(AutoSchema):
    """An operation with the errors that it may answer, and the headers that its view puts on answers."""

    def get_operation_id(self) -> str:
        """The path's own words, such as removeWatermark; where several operations share them they say theirs."""
        parts = [part for part in self.path.split("/") if part not in ("", "api", "v1") and "{" not in part]
        first, *others = re.split(r"[-./]", "/".join(parts))
        words = ["delete", first, *others] if self.method == "DELETE" else [first, *others]
        return words[0] + "".join(each.title() for each in words[1:])

    def get_auth(self) -> list[Any]:
        """A key that need not be sent is one of two ways."""
        ways: list[Any] = super().get_auth()
        return ways if self.view.get_permissions() or not ways or {} in ways else [*ways, {}]

    def get_override_parameters(self) -> list[Any]:
        given = super().get_override_parameters()
        return [*given, IDEMPOTENCY_KEY] if self._costs_quota() else given

    def get_operation(self, *arguments: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*arguments)
        if operation is None:
            return None
        if {"200", "202"} <= operation["responses"].keys():
            operation["parameters"].append(PREFER)
        for response in operation["responses"].values():
            response["description"] = response["description"] or "It is done."
            headers = {name: {"$ref": f"#/components/headers/{name}"} for name in self._headers()}
            response["headers"] = {**response.get("headers", {}), **headers}
        for status in self._errors():
            operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Error{status}"})
        return operation

    def _costs_quota(self) -> bool:
        return self.method == "POST" and bool(getattr(self.view, "processes_pictures", False))

    def _headers(self) -> list[str]:
        """Of its successes: names in HEADERS."""
        plan = PLAN_HEADERS if self.view.get_authenticators() else []
        return ["X-Request-Id", *plan, *(CHARGE_HEADERS if self._costs_quota() else [])]

    def _errors(self) -> list[int]:
        """Statuses that it may answer, with their keys in DESCRIPTIONS."""
        body, known = self.method in ("POST", "PUT", "PATCH"), bool(self.view.get_authenticators())
        may = {
            400: body or known,
            401: known,
            403: known,
            404: "{" in self.path or self._costs_quota() or (type(self.view).__name__, self.method) in NAMING,
            408: body,
            409: self._costs_quota() or type(self.view).__name__ in CONFLICTING,
            413: body,
            415: body,
            422: self._costs_quota(),
            429: bool(self.view.get_throttles()),
            503: True,
        }
        return [status for status, does in may.items() if does]


def with_components(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: what operations refer to."""
    components = result["components"]
    components["schemas"]["Error"] = ERROR
    components["headers"] = {
        name: {"description": tells, "schema": {"type": type}} for name, (type, tells) in HEADERS.items()
    }
    components["responses"] = {f"Error{status}": _error(status) for status in DESCRIPTIONS}
    result["webhooks"] = {type: {"post": _webhook(type)} for type in TYPES}
    return result


def _error(status: int) -> dict[str, Any]:
    from config.exceptions import codes  # it imports the whole service

    headers = ["X-Request-Id", *ERROR_HEADERS.get(status, [])]
    narrower = {"properties": {"status_code": {"const": status}, "code": {"enum": codes(status)}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Error"}, narrower]}
    return {
        "description": DESCRIPTIONS[status],
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/json": {"schema": schema}},
    }


def _webhook(type: str) -> dict[str, Any]:
    data = {"$ref": f"#/components/schemas/{shape}"} if (shape := WEBHOOK_DATA[type.partition(".")[0]]) else QUOTA_LOW
    schema = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {"type": {"const": type}, "timestamp": {"type": "string", "format": "date-time"}, "data": data},
    }
    headers = [
        {"in": "header", "name": name, "required": True, "schema": {"type": "string"}, "description": tells}
        for name, tells in WEBHOOK_HEADERS.items()
    ]
    return {
        "summary": WORDS[type],
        "tags": ["webhooks"],
        "parameters": headers,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "2XX": {"description": "It was heard."},
            "410": {"description": "Nobody listens here any more: the endpoint is disabled."},
            "default": {"description": "It is sent again later, as Retry-After says or by the schedule."},
        },
    }
