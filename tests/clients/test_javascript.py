"""The JavaScript SDK: its own tests on a real service, and its package, installed, runs every example."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import pictures

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).resolve().parents[2] / "clients" / "javascript"

# The document's own example, as it stands there.
DOCUMENT = """
const { IOPaintClient } = require('iopaint-sdk');

const client = new IOPaintClient({
  apiKey: process.env.IOPAINT_API_KEY
});

// Simple usage
await client.removeWatermark('image.jpg', 'result.png');

// With mask
await client.removeWatermark('image.jpg', 'result.png', {
  mask: 'mask.png'
});
"""


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to build in."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node: apt-get install nodejs npm")
    copy = tmp_path_factory.mktemp("javascript") / "source"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    run(["npm", "pack", "--pack-destination", ".."], copy)
    return copy


@pytest.fixture
def installed(source: Path, folder: Path) -> Path:
    """The folder, with the packed SDK installed in it."""
    (archive,) = source.parent.glob("iopaint-sdk-*.tgz")
    (folder / "package.json").write_text("{}")
    run(["npm", "install", "--offline", "--no-audit", "--no-fund", str(archive)], folder)
    return folder


def test_it_works(environment: dict[str, str], installed: Path) -> None:
    script = installed / "document.cjs"
    script.write_text("(async () => {" + DOCUMENT + "})();")

    run(["node", script.name], installed, environment)

    assert pictures.pixels((installed / "result.png").read_bytes()).shape == (64, 96, 3)


def test_its_own_tests_pass(environment: dict[str, str], source: Path, folder: Path) -> None:
    told = run(["node", "--test", str(source / "test")], folder, environment)

    assert re.search(r"^\S+ skipped 0$", told, re.MULTILINE)
    assert re.search(r"^\S+ pass [1-9]", told, re.MULTILINE)


def test_the_readmes_examples_run(environment: dict[str, str], installed: Path) -> None:
    examples = re.findall(r"^```js\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (installed / "readme.mjs").write_text("\n".join(examples))

    told = run(["node", "readme.mjs"], installed, environment)

    assert "invalid_image" in told
    assert (installed / "result.png").exists()
    assert (installed / "results" / "img2.png").exists()


def test_types_name_all_that_is_there(source: Path) -> None:
    types = (source / "src" / "index.d.ts").read_text()
    tell = "import * as sdk from 'iopaint-sdk'; console.log(Object.keys(sdk), Object.getOwnPropertyNames("
    tell += "sdk.IOPaintClient.prototype), Object.keys(sdk.webhooks))"
    (source / "tell.mjs").write_text(tell)

    names = re.findall(r"'(\w+)'", run(["node", "tell.mjs"], source))

    assert "removeWatermark" in names
    assert not [name for name in names if not re.search(rf"\b{name}\b", types)]


def test_the_service_is_told_the_packages_version() -> None:
    version = json.loads((PACKAGE / "package.json").read_text())["version"]

    assert f"'iopaint-sdk-javascript/{version}'" in (PACKAGE / "src" / "sending.js").read_text()
