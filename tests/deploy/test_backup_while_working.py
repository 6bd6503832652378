"""deploy/backup while the service cleans, stores and deletes; deploy/restore into an empty place; the same is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from tests import pictures
from tests.live import postgres
from tests.live.seaweed import seaweed_bucket
from tests.live.service import ROOT, Service, running

pytestmark = pytest.mark.slow

PHOTO, MASK = pictures.photo(), pictures.box_mask()
KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
COPY = "restored"
# What a backup of a working service has of one and not of the other is put right, without the hour of grace.
RECONCILED = """
import json
from datetime import timedelta
from inpainting import reconciliation, storage
from inpainting.models import Result, SavedMark, Upload
reconciliation.SETTLED = timedelta(0)
reconciliation.reconcile()
models = (Upload, Result, SavedMark)
print(json.dumps([sorted(storage.names(each) ^ set(each.objects.values_list("name", flat=True))) for each in models]))
"""


def clean(service: Service, key: str) -> str:
    """The address of a result."""
    files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
    answer = requests.post(f"{service.url}/inpaint-multipart", files=files, headers={"X-API-Key": key}, timeout=60)
    assert answer.status_code == 200, answer.text
    return f"/result/{answer.json()['result']}"


def save_mark(service: Service, key: str) -> str:
    fields, files = {"name": "logo", "kind": "mask"}, {"image": pictures.file(MASK)}
    headers = {"X-API-Key": key}
    answer = requests.post(f"{service.url}/api/v1/marks", fields, files=files, headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
    return f"/api/v1/marks/{answer.json()['id']}/file"


def read(service: Service, paths: list[str], key: str) -> dict[str, bytes]:
    answers = {path: requests.get(service.url + path, headers={"X-API-Key": key}, timeout=60) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {path: answer.content for path, answer in answers.items()}


def rows(service: Service) -> dict[tuple[str, Any], Any]:
    """Of every table."""
    dumped = json.loads(service.manage("dumpdata", "--exclude", "contenttypes", "--exclude", "auth.permission"))
    return {(row["model"], row["pk"]): row["fields"] for row in dumped}


@contextmanager
def restless(service: Service) -> Iterator[list[str]]:
    """Results come and go as fast as they can; those that were made."""
    key = service.manage("create_api_key", "--email", "restless@b.c", "--plan", "enterprise")
    ended, made = threading.Event(), list[str]()

    def work() -> None:
        while not ended.is_set():
            made.append(clean(service, key))
            requests.delete(service.url + made[-1], headers={"X-API-Key": key}, timeout=60).raise_for_status()

    with ThreadPoolExecutor(3) as threads:
        working = [threads.submit(work) for _ in range(3)]
        try:
            yield made
        finally:
            ended.set()
    for each in working:
        each.result()


def wait_for(made: list[str], count: int) -> None:
    deadline = time.monotonic() + 60
    while len(made) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run(script: str, folder: Path, service_env: dict[str, str]) -> None:
    done = subprocess.run(
        [ROOT / "deploy" / script, folder], env=service_env, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def copy_bucket(env: dict[str, str]) -> None:
    """Into a bucket beside it, as an operator's own tool does; it is made as in the kit."""
    target = {**os.environ, **env, "S3_BUCKET": COPY}
    subprocess.run([sys.executable, "deploy/docker/make_bucket.py"], cwd=ROOT, env=target, check=True)
    client = boto3.client(
        "s3", endpoint_url=env["S3_ENDPOINT_URL"], aws_access_key_id="any", aws_secret_access_key="any"
    )
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=env["S3_BUCKET"]):
        for each in page.get("Contents", []):
            source = {"Bucket": env["S3_BUCKET"], "Key": each["Key"]}
            with suppress(client.exceptions.NoSuchKey):  # deleted since it was listed
                client.copy_object(Bucket=COPY, Key=each["Key"], CopySource=source)


@contextmanager
def places(kind: str, tmp_path: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """The environment of a service, and of the one that is restored into."""
    if kind == "one machine":
        yield {}, {}
        return
    (tmp_path / "s3").mkdir()
    with postgres.database() as first, postgres.database() as second, seaweed_bucket(tmp_path / "s3") as bucket:
        shared = {"S3_ENDPOINT_URL": bucket["endpoint_url"], **KEYS}
        yield (
            {**shared, "DATABASE_URL": first, "S3_BUCKET": bucket["bucket_name"]},
            {**shared, "DATABASE_URL": second, "S3_BUCKET": COPY},
        )


@pytest.mark.parametrize("kind", ["one machine", "several machines"])
def test_what_was_there_before_a_backup_comes_back(kind: str, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with places(kind, tmp_path) as (env, other):
        with running(tmp_path / "first", INPAINT_MODEL="patchmatch", **env) as service:
            key = service.key()
            paths = [*(clean(service, key) for _ in range(3)), save_mark(service, key)]
            files, kept = read(service, paths, key), rows(service)
            with restless(service) as made:
                wait_for(made, 5)
                run("backup", tmp_path / "backup", service.env)
                if env:
                    copy_bucket(env)
                wait_for(made, len(made) + 1)  # it goes on

        empty = {**service.env, **other, "DATA_DIR": str(tmp_path / "second/data")}
        run("restore", tmp_path / "backup", empty)
        with running(tmp_path / "second", INPAINT_MODEL="patchmatch", **other) as restored:
            restored_rows = rows(restored)
            assert json.loads(restored.manage("shell", "--verbosity", "0", "-c", RECONCILED)) == [[], [], []]
            assert read(restored, paths, key) == files

    assert {row: fields for row, fields in kept.items() if restored_rows.get(row) != fields} == {}
