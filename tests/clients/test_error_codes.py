"""Both SDKs know every error code that the manual has, by the same name of a class."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRINT_PYTHON = "import json; from iopaint.errors import BY_CODE as known; "
PRINT_PYTHON += "print(json.dumps({code: kind.__name__ for code, kind in known.items()}))"
PRINT_JAVASCRIPT = "import { BY_CODE } from './clients/javascript/src/errors.js'; "
PRINT_JAVASCRIPT += "const told = [...BY_CODE].map(([code, kind]) => [code, kind.name]); "
PRINT_JAVASCRIPT += "console.log(JSON.stringify(Object.fromEntries(told)))"


def in_the_manual() -> set[str]:
    rows = re.findall(r"^\| (`[^|]+) \| \d", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`(\w+)`", row)}


def in_python() -> dict[str, str]:
    sources = {"PYTHONPATH": str(ROOT / "clients" / "python" / "src")}
    said = subprocess.run([sys.executable, "-c", PRINT_PYTHON], env=sources, capture_output=True, check=True)
    return dict(json.loads(said.stdout))


def test_python() -> None:
    assert len(in_the_manual()) > 40
    assert in_python().keys() == in_the_manual()


def test_javascript() -> None:
    if shutil.which("node") is None:
        pytest.skip("no node")
    command = ["node", "--input-type=module", "--eval", PRINT_JAVASCRIPT]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)

    assert json.loads(said.stdout) == in_python()
