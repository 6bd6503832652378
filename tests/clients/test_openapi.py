"""Each operation of docs/openapi.yaml has a method in both SDKs, each option is sent, each answer's member is read.

What is left out is named here, with the reason.
"""

import json
import re
import shutil
import subprocess
import typing
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import iopaint
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TYPES = ROOT / "clients" / "javascript" / "src" / "index.d.ts"
SCHEMA: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())

# Python's names; JavaScript's are the same in camel case. After the method: what it takes by position.
METHODS: dict[str, tuple[str, ...]] = {
    "removeWatermark": ("remove_watermark", "image"),
    "detect": ("detect", "image"),
    "createBatch": ("create_batch", "images"),
    "listBatches": ("batches",),
    "getBatch": ("batch", "id"),
    "listItems": ("batch_items", "id"),
    "followBatch": ("follow_batch", "id"),
    "downloadResults": ("download_results", "id", "output"),
    "retryBatch": ("retry_batch", "id"),
    "cancelBatch": ("cancel_batch", "id"),
    "createMark": ("create_mark", "image", "name"),
    "listMarks": ("marks",),
    "getMark": ("mark", "id"),
    "getMarkFile": ("mark_file", "id"),
    "renameMark": ("rename_mark", "id", "name"),
    "deleteMark": ("delete_mark", "id"),
    "createWebhook": ("create_webhook", "url", "events"),
    "listWebhooks": ("webhooks",),
    "getWebhook": ("webhook", "id"),
    "updateWebhook": ("update_webhook", "id"),
    "deleteWebhook": ("delete_webhook", "id"),
    "rotateWebhookSecret": ("rotate_webhook_secret", "id"),
    "rotateDefaultSecret": ("rotate_default_secret",),
    "testWebhook": ("test_webhook", "id"),
    "replayWebhook": ("replay_webhook", "id", "since"),
    "listDeliveries": ("deliveries",),
    "replayDelivery": ("replay_delivery", "id"),
    "stats": ("stats",),
    "v1Health": ("health",),
    "models": ("models",),
}
LEFT_OUT = {
    "object remover": "the surface of the older document, which its own clients speak; v1 does all of it",
    "cursor": "the methods go through the pages themselves",
    "listItems.limit": "all pictures are listed",
    "listMarks.limit": "all marks are listed",
    "removeWatermark.Prefer": "create_batch of one picture is the same",
    "removeWatermark.expires_in": "it is for Prefer alone; create_batch takes it",
    "Batch.links": "the methods know the addresses",
}
RENAMED = {"removeWatermark.metadata": "exif", "Idempotency-Key": "idempotency_key"}
ADDRESS = "https://a.example/picture.png"
VALUES: dict[str, Any] = {
    **{"id": "an-id", "output": "results.zip", "name": "a name", "image": b"PNG", "images": [b"PNG"], "mask": b"PNG"},
    **{"masks": [b"PNG"], "archive": b"ZIP", "rectangles": [[1, 2, 3, 4]], "grow": 1, "mode": "auto", "format": "png"},
    **{"exif": "keep", "model": "lama", "prompt": "grass", "negative_prompt": "trees", "steps": 2, "guidance": 1.5},
    **{"seed": 7, "mark": "an-id", "metadata": {"order": 7}, "partial": True, "shared_mark": True, "expires_in": 60},
    **{"webhook_url": ADDRESS, "idempotency_key": "mine", "marked": True, "proposals": True, "limit": 7},
    **{"targets": ["text"]},
    **{"kind": "logo", "anchor": "centre", "scaling": "pixels", "opacity": 0.5, "x": 1, "y": 2, "picture_width": 3},
    **{"picture_height": 4, "url": ADDRESS, "events": ["batch.failed"], "enabled": False, "endpoint": "an-id"},
    **{"since": datetime(2026, 12, 1, tzinfo=UTC)},
}
ANSWERS: dict[str, type[Any]] = {
    "V1Health": iopaint.Health,
    **{
        name: getattr(iopaint, name)
        for name in (
            *("Batch", "Item", "ItemError", "ItemResult", "Stats", "Quota", "Model", "Detection", "Box", "SavedMark"),
            *("WebhookEndpoint", "NewWebhookEndpoint", "WebhookSecret", "Delivery", "DeliveryAttempt"),
        )
    },
}


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    named: frozenset[str]  # what a request can have: parameters, headers and fields

    @property
    def wanted(self) -> set[str]:
        return {name for name in self.named if not {name, f"{self.id}.{name}"} & LEFT_OUT.keys()}

    def options(self) -> dict[str, Any]:
        """All of them by the SDKs' names, but for what goes by position and the addresses of pictures."""
        names = {RENAMED.get(f"{self.id}.{name}", RENAMED.get(name, name)) for name in self.wanted}
        by_address = {"image_url", "image_urls", "mask_url"}
        return {name: VALUES[name] for name in names - by_address - set(METHODS[self.id][1:])}


def operations() -> list[Operation]:
    found = []
    for path, methods in SCHEMA["paths"].items():
        for method, told in methods.items():
            if method == "parameters" or set(told["tags"]) & LEFT_OUT.keys():
                continue
            parameters = {each["name"] for each in told.get("parameters", ()) if each["in"] != "path"}
            bodies = told.get("requestBody", {}).get("content", {}).values()
            parameters |= {name for body in bodies for name in schema(body["schema"]["$ref"])["properties"]}
            found.append(Operation(told["operationId"], method.upper(), path, frozenset(parameters)))
    return found


def schema(reference: str) -> dict[str, Any]:
    named: dict[str, Any] = SCHEMA["components"]["schemas"][reference.rpartition("/")[2]]
    return named


def called(operation: Operation) -> list[tuple[list[Any], dict[str, Any]]]:
    """With every option; and once more with addresses for pictures."""
    by_position, options = [VALUES[name] for name in METHODS[operation.id][1:]], operation.options()
    if not {"image_url", "image_urls"} & operation.named:
        return [(by_position, options)]
    masked = {"mask": ADDRESS} if "mask_url" in operation.named else {}
    return [(by_position, options), ([[ADDRESS] if "images" in operation.named else ADDRESS], masked)]


def by_python(operation: Operation) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        content, type = request.read(), request.headers.get("Content-Type", "")
        if "json" in type:
            names = set(json.loads(content))
        elif "urlencoded" in type:
            names = set(parse_qs(content.decode()))
        else:
            names = {each.decode() for each in re.findall(rb'form-data; name="(\w+)"', content)}
        names |= set(request.url.params)
        if request.headers.get("Idempotency-Key") == VALUES["idempotency_key"]:
            names.add("Idempotency-Key")
        requests.append({"method": request.method, "path": request.url.path, "names": sorted(names)})
        return httpx.Response(400, json={"code": "invalid_request", "detail": "-"})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = iopaint.IOPaintClient("sk", base_url="http://service.example", http_client=http)
    for by_position, options in called(operation):
        with suppress(iopaint.InvalidRequest):
            done = getattr(client, METHODS[operation.id][0])(*by_position, **options)
            list(done)  # follow_batch begins when it is looked at
    return requests


SCRIPT = """
import { readFileSync } from 'node:fs';
import { IOPaintClient, InvalidRequest } from '%s';

const requests = [];
const fetch = async (url, { method, headers, body }) => {
  const names = body instanceof FormData ? [...body.keys()] : Object.keys(JSON.parse(body ?? '{}'));
  names.push(...new URL(url).searchParams.keys());
  if (headers['Idempotency-Key'] === 'mine') names.push('Idempotency-Key');
  requests.push({ method, path: new URL(url).pathname, names: [...new Set(names)].sort() });
  return new Response('{"code": "invalid_request", "detail": "-"}', { status: 400 });
};
const client = new IOPaintClient({ apiKey: 'sk', baseUrl: 'http://service.example', fetch });
for (const [method, byPosition, options] of JSON.parse(readFileSync(0))) {
  const given = byPosition.map((each) => (/^2026-/.test(each) ? new Date(each) : each));
  try {
    const done = client[method](...given, ...(Object.keys(options).length ? [options] : []));
    await (done.next ? done.next() : done);
    throw new Error(`${method} sent nothing`);
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
  }
}
console.log(JSON.stringify(requests));
"""


def by_javascript(operation: Operation, folder: Path) -> list[dict[str, Any]]:
    method = camel(METHODS[operation.id][0])
    calls = [
        (method, plain(given), {camel(name): plain(value) for name, value in options.items()})
        for given, options in called(operation)
    ]
    (folder / "calls.mjs").write_text(SCRIPT % (ROOT / "clients" / "javascript" / "src" / "index.js"))
    command = ["node", "calls.mjs"]
    done = subprocess.run(
        command, cwd=folder, input=json.dumps(calls), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def plain(value: Any) -> Any:
    """As JSON has it: bytes as a data URI, which the SDK takes for a file."""
    if isinstance(value, bytes):
        return "data:image/png;base64,UE5H"
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def assert_sent(operation: Operation, requests: list[dict[str, Any]]) -> None:
    path = operation.path.replace("{id}", VALUES["id"])
    assert {(each["method"], urlsplit(each["path"]).path) for each in requests} == {(operation.method, path)}
    # A list's page has a size whoever asks.
    sent = {name for each in requests for name in each["names"]} - ({"limit"} - operation.wanted)
    assert sent == operation.wanted


def test_each_operation_has_a_method() -> None:
    assert {operation.id for operation in operations()} == METHODS.keys()


def test_each_exception_is_one() -> None:
    there = {name for each in operations() for name in each.named}
    there |= {f"{each.id}.{name}" for each in operations() for name in each.named}
    there |= {tag for methods in SCHEMA["paths"].values() for each in methods.values() for tag in each["tags"]}
    there |= {f"{name}.{member}" for name in ANSWERS for member in schema(name)["properties"]}

    assert LEFT_OUT.keys() - there == set()


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.id)
def test_python_sends_each_option(operation: Operation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert_sent(operation, by_python(operation))


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.id)
def test_javascript_sends_each_option(operation: Operation, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("no node: apt-get install nodejs")

    assert_sent(operation, by_javascript(operation, tmp_path))

    types = TYPES.read_text()
    for name in (METHODS[operation.id][0], *operation.options()):
        assert re.search(rf"\b{camel(name)}\b\??[:(<]", types), name


@pytest.mark.parametrize("name", ANSWERS)
def test_each_member_of_an_answer_is_read(name: str) -> None:
    members = {member for member in schema(name)["properties"] if f"{name}.{member}" not in LEFT_OUT}

    assert {each.name for each in fields(ANSWERS[name])} == members
    assert typing.get_type_hints(ANSWERS[name]).keys() == members
    assert members == in_types(ANSWERS[name].__name__)


def in_types(interface: str) -> set[str]:
    """The members that index.d.ts gives it."""
    (found,) = re.findall(
        rf"^export interface {interface}(?: extends (\w+))? {{(.*?)^}}", TYPES.read_text(), re.M | re.S
    )
    base, body = found
    return set(re.findall(r"^  (\w+)\??:", body, re.M)) | (in_types(base) if base else set())
