"""What drf-spectacular cannot read off the views: how to authenticate, and the one shape of every error."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


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


ERROR = {
    "type": "object",
    "required": ["error", "detail", "status_code", "code", "request_id"],
    "properties": {
        "error": {"type": "string", "example": "Bad Request"},
        "detail": {"type": "string", "example": "Invalid image format: cannot identify image file"},
        "status_code": {"type": "integer", "example": 400},
        "code": {"type": "string", "example": "invalid_image", "description": "For programs: it never changes."},
        "request_id": {"type": "string", "description": "Also in the X-Request-Id header."},
    },
}


def with_errors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Post-processing hook: every operation may answer an error."""
    result["components"]["schemas"]["Error"] = ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = {"description": "Any error.", "content": content}
    return result
