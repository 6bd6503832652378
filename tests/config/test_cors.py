"""What scripts of other sites may read: the public object remover surface all, v1 those in CORS_ALLOWED_ORIGINS."""

from typing import Any

import pytest
from django.test import Client

OURS, ANOTHER = "https://shop.example", "https://elsewhere.example"


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [OURS]


def preflight(client: Client, path: str, origin: str) -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    return client.options(path, headers=headers)


def test_it_works(public: Client) -> None:
    response = preflight(public, "/api/v1/remove-watermark", OURS)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == OURS
    allowed = response["Access-Control-Allow-Headers"].split(", ")
    assert {"x-api-key", "idempotency-key", "last-event-id"} <= set(allowed)

    response = public.post("/api/v1/remove-watermark", headers={"Origin": OURS})
    assert response.status_code == 401
    assert response["Access-Control-Allow-Origin"] == OURS
    exposed = response["Access-Control-Expose-Headers"].split(", ")
    assert {"X-Request-Id", "X-RateLimit-Reset", "X-Quota-Remaining", "X-Mask-Coverage", "Retry-After"} <= set(exposed)


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/upload-image", ANOTHER, True),
        ("/inpaint-multipart", ANOTHER, True),
        ("/download/output_0.png", ANOTHER, True),
        ("/health", ANOTHER, True),
        ("/api/v1/stats", OURS, True),
        ("/api/v1/stats", ANOTHER, False),
        ("/editor/detect", OURS, False),
        ("/login", OURS, False),
        ("/dashboard", ANOTHER, False),
    ],
)
def test_who_may(db: None, client: Client, path: str, origin: str, allowed: bool) -> None:
    for response in (preflight(client, path, origin), client.get(path, headers={"Origin": origin})):
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert "Access-Control-Allow-Credentials" not in response


def test_a_surface_with_a_token_is_not_public(public: Client, settings: Any) -> None:
    settings.API_TOKEN = "the token"

    assert "Access-Control-Allow-Origin" not in preflight(public, "/inpaint", ANOTHER)
    assert preflight(public, "/inpaint", OURS)["Access-Control-Allow-Origin"] == OURS
