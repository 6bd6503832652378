"""The document's examples in Python, as they stand there but for host and key, each in an empty folder.

Its examples for curl are in tests/live/test_documents.py, those for JavaScript, PHP and Go in this folder.
"""

import re
from pathlib import Path

import pytest

from tests import pictures
from tests.clients import packages
from tests.clients.document import SDK

pytestmark = pytest.mark.slow

REQUESTS = {
    "remove": """
import requests

url = "https://api.iopaint.com/api/v1/remove-watermark"
headers = {"X-API-Key": "your_api_key_here"}

# Basic usage
with open("image.jpg", "rb") as f:
    files = {"image": f}
    response = requests.post(url, headers=headers, files=files)

if response.status_code == 200:
    with open("result.png", "wb") as f:
        f.write(response.content)
    print(f"✓ Success! Processing time: {response.headers['X-Processing-Time']}s")
else:
    print(f"✗ Error {response.status_code}: {response.json()}")
""",
    "health": """
import requests

response = requests.get("https://api.iopaint.com/api/v1/health")
print(response.json())
# Output: {'status': 'healthy', 'model': 'lama', 'device': 'cuda', 'gpu_available': True}
""",
    "stats": """
import requests

headers = {"X-API-Key": "your_api_key_here"}
response = requests.get("https://api.iopaint.com/api/v1/stats", headers=headers)
stats = response.json()

print(f"Total requests: {stats['total']}")
print(f"Success rate: {stats['success'] / stats['total'] * 100:.2f}%")
print(f"Average time: {stats['avg_processing_time']:.2f}s")
""",
}


@pytest.fixture
def empty(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """A folder with the pictures that examples name and a Python of its own, into which the built SDK was installed."""
    packages.install("py", packages.build(tmp_path_factory.mktemp("packages")), folder)
    return folder


def run(text: str, folder: Path, environment: dict[str, str]) -> str:
    url, key = environment["IOPAINT_BASE_URL"], environment["IOPAINT_API_KEY"]
    for there, here in (("https://api.iopaint.com", url), ("your_api_key_here", key), ("your_api_key", key)):
        text = text.replace(there, here)
    (folder / "example.py").write_text(text)
    done = packages.shell("python example.py", folder, {"IOPAINT_BASE_URL": url})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_works(empty: Path, environment: dict[str, str]) -> None:
    run(SDK, empty, environment)

    assert pictures.pixels((empty / "result.png").read_bytes()).shape == (64, 96, 3)
    assert sorted(path.name for path in (empty / "results").iterdir()) == ["img1.png", "img2.png"]
    assert list(empty.glob("venv/lib/python*/site-packages/iopaint/client.py"))  # the installed one


def test_without_the_sdk(empty: Path, environment: dict[str, str]) -> None:
    assert re.match(r"✓ Success! Processing time: \d+\.\d+s", run(REQUESTS["remove"], empty, environment))
    assert pictures.pixels((empty / "result.png").read_bytes()).shape == (64, 96, 3)
    assert run(REQUESTS["health"], empty, environment).startswith("{'status': 'healthy', 'model': ")
    assert re.search(r"Success rate: \d+\.\d\d%\nAverage time: ", run(REQUESTS["stats"], empty, environment))
