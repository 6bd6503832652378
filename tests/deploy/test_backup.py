"""deploy/backup and deploy/restore, on SQLite and on this machine's PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.postgres import database

ROOT = Path(__file__).resolve().parents[2]
EMAIL = "kept@example.org"


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
    (data / "results").mkdir()
    (data / "results/output.png").write_bytes(b"picture")


def emails(data: Path, database_url: str = "") -> str:
    code = "from accounts.models import User; print(*User.objects.values_list('email', flat=True))"
    return run([sys.executable, "manage.py", "shell", "-v", "0", "-c", code], data, database_url).stdout.strip()


def test_sqlite_and_its_files_come_back(tmp_path: Path) -> None:
    fill(tmp_path / "data")

    saved = run(["deploy/backup", str(tmp_path / "backup")], tmp_path / "data")
    restored = run(["deploy/restore", str(tmp_path / "backup")], tmp_path / "other")

    assert (saved.returncode, restored.returncode) == (0, 0), saved.stderr + restored.stderr
    assert emails(tmp_path / "other") == EMAIL
    assert (tmp_path / "other/results/output.png").read_bytes() == b"picture"


def test_postgresql_and_its_files_come_back(tmp_path: Path) -> None:
    with database() as source, database() as target:
        fill(tmp_path / "data", source)

        saved = run(["deploy/backup", str(tmp_path / "backup")], tmp_path / "data", source)
        restored = run(["deploy/restore", str(tmp_path / "backup")], tmp_path / "other", target)

        assert (saved.returncode, restored.returncode) == (0, 0), saved.stderr + restored.stderr
        assert emails(tmp_path / "other", target) == EMAIL
        assert (tmp_path / "other/results/output.png").read_bytes() == b"picture"


@pytest.mark.parametrize("script", ["backup", "restore"])
def test_nothing_that_is_there_is_overwritten(script: str, tmp_path: Path) -> None:
    fill(tmp_path / "data")
    assert run(["deploy/backup", str(tmp_path / "backup")], tmp_path / "data").returncode == 0

    again = run([f"deploy/{script}", str(tmp_path / "backup")], tmp_path / "data")

    assert again.returncode == 1
    assert "exists" in again.stderr
