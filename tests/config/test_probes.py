"""/livez and /readyz: whether a process is to be killed, and whether requests are to be sent to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from inpainting import engine, health


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(health, "_loaded", threading.Event())
    monkeypatch.setattr(health, "_migrated", threading.Event())
    health.migrations_check.forget()
    yield
    health.migrations_check.forget()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say how the default model fares."""
    real = engine.status()

    def fares(state: str, error: str | None = None) -> None:
        monkeypatch.setattr(engine, "status", lambda: replace(real, state=state, error=error))  # type: ignore[arg-type]

    fares("ready")
    return fares


def test_it_works(public: Client, model: Any) -> None:
    answer = public.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"model": "ok", "database": "ok", "storage": "ok", "migrations": "ok"},
    }


def test_alive_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fixture of the database here: touching it would fail."""

    def away(*_: object) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(health.Check, "ask", away)

    assert Client().get("/livez").json() == {"status": "alive"}


def test_a_process_whose_model_is_being_loaded_is_not_ready(public: Client, model: Any) -> None:
    model("loading")
    answer = public.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]["model"]) == (503, "The model is being loaded.")
    assert int(answer["Retry-After"]) > 0


def test_a_model_that_was_unloaded_for_others_is_no_reason(public: Client, model: Any) -> None:
    public.get("/readyz")
    model("idle")

    assert public.get("/readyz").status_code == 200


def test_a_model_that_cannot_be_loaded_is_told(public: Client, model: Any) -> None:
    model("failed", "no weights")

    assert "no weights" in public.get("/readyz").json()["checks"]["model"]


def test_migrations_that_wait_are_told(public: Client, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])
    answer = public.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "Migrations have to be applied."


@pytest.mark.parametrize("name", ["database_check", "storage_check"])
def test_what_hangs_is_told_in_time(public: Client, model: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(health, "TIMEOUT", 0.05)
    over = threading.Event()

    def hang() -> None:
        over.wait(20)

    monkeypatch.setattr(health, name, health.Check(name, hang, lasts=2))

    answer = public.get("/readyz")
    over.set()

    assert answer.status_code == 503
    assert answer.json()["checks"][name.removesuffix("_check")].endswith("cannot be reached.")


def test_any_host_and_no_redirect(public: Client, model: Any, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert public.get("/livez", headers={"Host": "10.0.0.7:8080"}).status_code == 200
    connections.close_all()
