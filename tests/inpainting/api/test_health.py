"""GET /api/v1/health and GET /health."""

from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from inpainting import engine


def test_it_works(public: Client) -> None:
    engine.warm_up()
    body = public.get("/api/v1/health").json()

    assert body == {
        "status": "healthy",
        "model": "hybrid",
        "device": "cpu",
        "gpu_available": False,
        "weights": "embedded",
        "precision": "fp32",
        "version": settings.VERSION,
    }


def test_the_object_removers(public: Client) -> None:
    response = public.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "healthy"})


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("host", ["10.0.0.7:8080", "a_b", "evil.example", "[::1", ""])
def test_a_balancer_asks_by_address(public: Client, settings: Any, path: str, method: str, host: str) -> None:
    """The site is another, and https; its health is asked without either."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://site.example", ["site.example"]

    assert public.generic(method, path, headers={"Host": host}).status_code == 200
    elsewhere = public.generic(method, "/api/v1/models", headers={"Host": "site.example"})
    assert (elsewhere.status_code, elsewhere["Location"]) == (301, "https://site.example/api/v1/models")


def test_a_database_that_is_gone(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        settings_dict: ClassVar[dict[str, Any]] = {"OPTIONS": {}}

        def cursor(self) -> None:
            raise OperationalError

        def close(self) -> None: ...

    monkeypatch.setattr("inpainting.health.connections.create_connection", lambda alias: Gone())
    response = public.get("/api/v1/health")

    assert response.status_code == 503
    assert response.json()["status"] == "unhealthy"
    assert response.json()["detail"] == "The database cannot be reached."


def test_a_storage_that_is_gone(public: Client, settings: Any, tmp_path: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "results": {
            "BACKEND": "config.object_storage.SharedS3Storage",
            "OPTIONS": {
                "bucket_name": "results",
                "endpoint_url": "http://127.0.0.1:9",
                "access_key": "a",
                "secret_key": "b",
            },
        },
    }
    response = public.get("/api/v1/health")

    assert response.status_code == 503
    assert response.json()["detail"] == "The storage cannot be reached."


def test_a_model_that_cannot_be_loaded(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = engine.EngineStatus("lama", None, "cpu", False, "fp32", "failed", "the file is damaged")
    monkeypatch.setattr("inpainting.engine.status", lambda: broken)

    response = public.get("/api/v1/health")
    assert response.status_code == 503
    assert "the file is damaged" in response.json()["detail"]
    assert public.get("/health").status_code == 503


def test_models(public: Client) -> None:
    models = {model["name"]: model for model in public.get("/api/v1/models").json()["models"]}

    assert set(models) == {"lama", "hybrid", "migan", "patchmatch", "sd", "sdxl"}
    assert models["hybrid"]["available"]
    assert models["hybrid"]["licence"] == "MIT"
    assert models["hybrid"]["default"]
    assert models["patchmatch"]["available"]
    assert all(model["description"] for model in models.values())
