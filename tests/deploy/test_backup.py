"""deploy/backup and deploy/restore, on SQLite and on this machine's PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.settings import STORAGES
from tests.live.postgres import database

ROOT = Path(__file__).resolve().parents[2]
EMAIL = "kept@example.org"
CONFIGURED: dict[str, Any] = STORAGES
STORED = [Path(storage["OPTIONS"]["location"]).name for storage in CONFIGURED.values() if "OPTIONS" in storage]


def environment(data: Path, database_url: str) -> dict[str, str]:
    rest = {name: value for name, value in os.environ.items() if name not in ("S3_BUCKET", "DATABASE_URL")}
    chosen = {"DATABASE_URL": database_url} if database_url else {}
    return {**rest, **chosen, "DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "config.settings"}


def run(arguments: list[str], data: Path, database_url: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=ROOT, env=environment(data, database_url), text=True, capture_output=True, check=False
    )


def fill(data: Path, database_url: str = "") -> None:
    for arguments in (["migrate", "--verbosity", "0"], ["create_api_key", "--email", EMAIL]):
        done = run([sys.executable, "manage.py", *arguments], data, database_url)
        assert done.returncode == 0, done.stderr
    for storage in STORED:
        (data / storage).mkdir()
        (data / storage / "picture").write_bytes(storage.encode())


def emails(data: Path, database_url: str = "") -> str:
    code = "from accounts.models import User; print(*User.objects.values_list('email', flat=True))"
    return run([sys.executable, "manage.py", "shell", "-v", "0", "-c", code], data, database_url).stdout.strip()


def stored(data: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in data.glob("*/picture")}


def test_sqlite_and_its_files_come_back(tmp_path: Path) -> None:
    fill(tmp_path / "data")

    saved = run(["deploy/backup", str(tmp_path / "backup")], tmp_path / "data")
    restored = run(["deploy/restore", str(tmp_path / "backup")], tmp_path / "other")

    assert (saved.returncode, restored.returncode) == (0, 0), saved.stderr + restored.stderr
    assert emails(tmp_path / "other") == EMAIL
    assert stored(tmp_path / "other") == {storage: storage.encode() for storage in STORED}


def test_postgresql_and_its_files_come_back(tmp_path: Path) -> None:
    with database() as source, database() as target:
        fill(tmp_path / "data", source)

        saved = run(["deploy/backup", str(tmp_path / "backup")], tmp_path / "data", source)
        restored = run(["deploy/restore", str(tmp_path / "backup")], tmp_path / "other", target)

        assert (saved.returncode, restored.returncode) == (0, 0), saved.stderr + restored.stderr
        assert emails(tmp_path / "other", target) == EMAIL
        assert stored(tmp_path / "other") == {storage: storage.encode() for storage in STORED}


@pytest.mark.parametrize("script", ["backup", "restore"])
def test_nothing_that_is_there_is_overwritten(script: str, tmp_path: Path) -> None:
    fill(tmp_path / "data")
    assert run(["deploy/backup", str(tmp_path / "backup")], tmp_path / "data").returncode == 0

    again = run([f"deploy/{script}", str(tmp_path / "backup")], tmp_path / "data")

    assert again.returncode == 1
    assert "exists" in again.stderr
