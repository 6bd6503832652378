"""What is counted, under which labels, and who may read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from prometheus_client import REGISTRY

from config import exceptions, metrics
from inpainting import engine, storage
from tests import pictures
from tests.conftest import Account

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-prometheus"
# Every label and what it may say. A new one is a decision: each value is a series for ever.
LABELS = {"endpoint", "method", "status", "code", "model", "stage", "outcome", "state", "le", "pid"}


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"object_remover_{name}", labels) or 0.0


@pytest.fixture
def scrape(public: Client, settings: Any) -> Any:
    settings.METRICS_TOKEN = TOKEN
    return lambda token=TOKEN: public.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def test_it_works(alice: Account, scrape: Any) -> None:
    alice.client.get("/api/v1/stats")

    text = scrape().content.decode()

    assert 'object_remover_http_requests_total{endpoint="stats",method="GET",status="200"}' in text
    assert 'object_remover_batch_items{stage="work",state="queued"} 0.0' in text
    assert re.search(r"object_remover_resident_memory_bytes [1-9]", text)


def test_without_a_token_there_is_nothing(public: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    assert public.get("/metrics", headers={"Authorization": "Bearer "}).json()["code"] == "not_found"


@pytest.mark.parametrize("token", ["", "another", f"{TOKEN}x", "ünïcode"])
def test_another_token_is_refused(scrape: Any, token: str) -> None:
    answer = scrape(token)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_internal_port_needs_no_token_and_serves_nothing_else(public: Client, settings: Any) -> None:
    settings.METRICS_PORT = 9100

    assert public.get("/metrics", SERVER_PORT="9100").status_code == 200
    assert public.get("/livez", SERVER_PORT="9100").status_code == 200
    assert public.get("/login", SERVER_PORT="9100").status_code == 404
    assert public.get("/metrics", headers={"Host": "x:9100"}).status_code == 404


def test_paths_of_callers_make_no_series(alice: Account, public: Client, scrape: Any) -> None:
    for number in range(50):
        public.get(f"/nothing/{number}")
        public.get(f"/download/output_{number:032x}.png")
        alice.client.get(f"/api/v1/batch/00000000-0000-4000-8000-{number:012}")
        public.generic(f"METHOD{number}", "/health")

    told = {sample.labels["endpoint"] for sample in _samples() if "endpoint" in sample.labels}
    methods = {sample.labels["method"] for sample in _samples() if "method" in sample.labels}

    assert not [name for name in told if re.search(r"\d{2}|/", name)]
    assert methods <= {*metrics.METHODS, "other"}


def test_labels_are_those_that_were_decided(scrape: Any) -> None:
    scrape()

    assert {label for sample in _samples() if _is_ours(sample) for label in sample.labels} <= LABELS


@pytest.mark.parametrize("file", ["deploy/grafana/dashboard.json", "docs/operations.md"])
def test_what_is_shown_and_documented_exists(scrape: Any, file: str) -> None:
    text = (ROOT / file).read_text()
    known = set(re.findall(r"^# TYPE object_remover_(\w+)", scrape().content.decode(), re.MULTILINE))
    parts = re.compile(r"_(bucket|sum|count)$")
    if file.endswith(".json"):
        asked = {parts.sub("", name) for name in re.findall(r"object_remover_(\w+)", json.dumps(json.loads(text)))}
        assert len(asked) > 10
        assert asked <= known
    else:
        documented = set(re.findall(r"^\| `(\w+)`|, `(webhook_oldest_seconds)`", text, re.MULTILINE))
        named = {name for pair in documented for name in pair}
        assert {name for name in known if not name.endswith("_created")} <= named


def test_every_endpoint_of_ours_has_a_name() -> None:
    def unnamed(resolver: URLResolver) -> Iterator[str]:
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                yield from () if each.namespace else unnamed(each)
            elif isinstance(each, URLPattern) and not each.name:
                yield str(each.pattern)

    assert not list(unnamed(get_resolver()))


def test_the_admin_is_one_endpoint(rf: RequestFactory) -> None:
    request = rf.get("/admin/accounts/plan/7/change/")
    request.resolver_match = get_resolver().resolve(request.path)

    assert metrics.endpoint_of(request) == "admin"


def test_refusals_of_quota_are_counted_by_code(alice: Account) -> None:
    alice.limit(quota=0)
    before = value("quota_denials_total", code="quota_exceeded")

    files = {"image": pictures.file(pictures.photo()), "mask": pictures.file(pictures.box_mask())}
    answer = alice.client.post("/api/v1/remove-watermark", files)

    assert answer.json()["code"] == "quota_exceeded"
    assert value("quota_denials_total", code="quota_exceeded") == before + 1
    assert set(metrics.REFUSALS) <= set(exceptions.codes(429))


def test_the_engine_tells_stage_model_and_wait() -> None:
    labels = {"stage": "inpaint", "model": "patchmatch"}
    calls = value("engine_seconds_count", **labels)

    engine.inpaint(pictures.photo(), pictures.box_mask(), "patchmatch")

    assert value("engine_seconds_count", **labels) == calls + 1
    assert value("engine_seconds_sum", **labels) > 0
    assert value("engine_wait_seconds_count", model="patchmatch") >= 1
    assert value("engine_waiting", model="patchmatch") == 0


def test_a_storage_that_fails_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._save", full)
    before = value("storage_failures_total")

    with pytest.raises(storage.StorageUnavailable):
        storage.check()
    assert value("storage_failures_total") == before + 1


def _samples() -> Iterator[Any]:
    return (sample for family in REGISTRY.collect() for sample in family.samples)


def _is_ours(sample: Any) -> bool:
    return bool(sample.name.startswith(metrics.SPACE))
