"""Accounts that are deleted while their request runs: whatever it was about, it is no 500, and nothing is left."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.request import Request

from accounts.deletion import delete_account
from accounts.metering import MeteredAPIView
from accounts.models import Usage
from inpainting import storage
from inpainting.models import Batch, Result, SavedMark, Upload
from tests import pictures
from tests.conftest import Account

pytestmark = pytest.mark.django_db(
    transaction=True, serialized_rollback=True
)  # foreign keys are checked at a transaction's end

WEBHOOK = {"url": "https://1.1.1.1/hook", "events": ["batch.completed"]}
CALLS: dict[str, tuple[str, str, list[str], Any]] = {
    "remove a watermark": ("post", "/api/v1/remove-watermark", ["image", "mask"], None),
    "detect": ("post", "/api/v1/detect", ["image"], None),
    "send a batch": ("post", "/api/v1/batch", ["images", "mask"], None),
    "list batches": ("get", "/api/v1/batch", [], None),
    "save a mark": ("post", "/api/v1/marks", ["image"], {"name": "Corner", "kind": "mask"}),
    "list marks": ("get", "/api/v1/marks", [], None),
    "statistics": ("get", "/api/v1/stats", [], None),
    "models": ("get", "/api/v1/models", [], None),
    "add a webhook": ("post", "/api/v1/webhooks", [], json.dumps(WEBHOOK)),
    "make a webhook secret": ("post", "/api/v1/webhooks/default-secret", [], "{}"),
    "upload a picture": ("post", "/upload-image", ["image"], None),
    "inpaint": ("post", "/inpaint-multipart", ["image", "mask"], None),
    "a malformed call": ("post", "/api/v1/detect", [], {"image": "no file"}),
}


@pytest.fixture
def deleting(alice: Account, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Of an account that is deleted just after its key has been found good."""
    initial = MeteredAPIView.initial

    def delete_meanwhile(view: MeteredAPIView, request: Request, *args: Any, **kwargs: Any) -> None:
        initial(view, request, *args, **kwargs)
        delete_account(type(alice.user).objects.get(pk=alice.user.pk))

    monkeypatch.setattr(MeteredAPIView, "initial", delete_meanwhile)
    alice.client.raise_request_exception = False
    return alice.client


@pytest.mark.parametrize(("method", "path", "files", "body"), CALLS.values(), ids=list(CALLS))
def test_meanwhile(deleting: Client, method: str, path: str, files: list[str], body: Any) -> None:
    mask = pictures.box_mask()
    sent = {name: mask if name == "mask" or path.endswith("/marks") else pictures.photo() for name in files}
    fields = {name: SimpleUploadedFile(f"{name}.png", pictures.file(sent[name]).getvalue()) for name in files}
    if isinstance(body, str):
        response = deleting.post(path, body, content_type="application/json")
    else:
        response = getattr(deleting, method)(path, {**fields, **(body or {})})

    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response.json()["code"] in {"invalid_api_key", "not_found", "invalid_request"}
    for model in (Upload, Result, SavedMark):
        assert not storage.names(model)
        assert not model.objects.exists()
    assert not Batch.objects.exists()
    assert not Usage.objects.filter(state=Usage.State.RESERVED).exists()
