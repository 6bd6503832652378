"""The house's walls: which room may import what."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for room in ("config", "accounts", "inpainting", "training") for path in (ROOT / room).rglob("*.py")]


@cache
def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file it stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def importers(package: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if any(name == package or name.startswith(f"{package}.") for name in imports(path))
    }


def test_it_works() -> None:
    assert "inpainting/service.py" in importers("accounts")


def test_torch_lives_behind_the_engine() -> None:
    rooms = ("inpainting/engine/", "training/")

    assert all(path.startswith(rooms) for path in importers("torch"))


def test_importing_the_urls_imports_no_torch() -> None:
    code = "import sys, django; django.setup(); import config.urls; sys.exit('torch' in sys.modules)"

    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=_environment(), check=True)


def test_boto3_is_django_storages_own_affair() -> None:
    assert not importers("boto3")
    assert importers("botocore") == {"config/settings.py"}  # its timeouts


def test_accounts_know_nothing_of_pictures() -> None:
    assert not [path for path in importers("inpainting") if path.startswith("accounts/")]


def test_clients_import_nothing_of_the_service() -> None:
    service = {"accounts", "config", "django", "inpainting", "tests", "training"}
    sources = list((ROOT / "clients" / "python" / "src").rglob("*.py"))

    assert sources
    assert not [path for path in sources if {name.partition(".")[0] for name in imports(path)} & service]


def test_the_network_knows_nothing_of_django() -> None:
    assert "inpainting/engine/inpainters/lama/network.py" not in importers("django")


@pytest.mark.parametrize("library", ["PIL", "torch", "storages"])
def test_the_api_leaves_pictures_to_others(library: str) -> None:
    assert not [path for path in importers(library) if path.startswith("inpainting/api/")]


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
