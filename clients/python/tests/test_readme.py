"""Every example of the README runs, and the package it describes can be built."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from iopaint.command.main import main

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text()


def blocks(language: str) -> list[str]:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    return found


@pytest.mark.slow
def test_it_works(environment: None, folder: Path) -> None:
    names: dict[str, object] = {}

    for example in blocks("python"):
        exec(example, names)

    assert (folder / "result.png").exists()
    assert (folder / "results" / "img2.png").exists()


@pytest.mark.slow
def test_commands_run(environment: None, folder: Path) -> None:
    (folder / "photos").mkdir()
    shutil.copy("image.jpg", "photos")
    commands = [line.partition("#")[0].split() for block in blocks("sh") for line in block.splitlines()]

    assert {main(command[1:]) for command in commands if command[0] == "iopaint"} == {0}


@pytest.mark.slow
def test_the_wheel_builds(tmp_path: Path) -> None:
    source = shutil.copytree(PACKAGE, tmp_path / "source")
    build = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", str(tmp_path)]

    subprocess.run([*build, str(source)], check=True, capture_output=True)

    (wheel,) = tmp_path.glob("iopaint_sdk-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"iopaint/py.typed", "iopaint/command/main.py"} <= set(names)
    assert not [name for name in names if not name.startswith(("iopaint/", "iopaint_sdk-"))]
