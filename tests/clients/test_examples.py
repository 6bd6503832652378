"""The examples in PHP and Go, and the document's own, on a real service. Each skips where its language is not there."""

import json
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import pictures

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "clients" / "examples"
UNREACHABLE = {**os.environ, "IOPAINT_BASE_URL": "http://127.0.0.1:9"}

# The document's own example, as it stands there.
DOCUMENT_GO = """
package main

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
)

func main() {
	body := &bytes.Buffer{}
	writer := multipart.NewWriter(body)

	// Add image file
	file, _ := os.Open("image.jpg")
	defer file.Close()
	part, _ := writer.CreateFormFile("image", "image.jpg")
	io.Copy(part, file)
	writer.Close()

	// Create request
	req, _ := http.NewRequest("POST", "https://api.iopaint.com/api/v1/remove-watermark", body)
	req.Header.Set("X-API-Key", os.Getenv("IOPAINT_API_KEY"))
	req.Header.Set("Content-Type", writer.FormDataContentType())

	// Send request
	client := &http.Client{}
	resp, _ := client.Do(req)
	defer resp.Body.Close()

	// Save result
	out, _ := os.Create("result.png")
	defer out.Close()
	io.Copy(out, resp.Body)
}
"""


def build_go(source: Path, folder: Path) -> list[str]:
    if shutil.which("go") is None:
        pytest.skip("no go: apt-get install golang-go")
    program = folder / source.stem
    subprocess.run(["go", "build", "-o", str(program), str(source)], check=True)
    return [str(program)]


def run_php(source: Path) -> list[str]:
    if shutil.which("php") is None:
        pytest.skip("no php: apt-get install php-cli php-curl")
    return ["php", str(source)]


@pytest.fixture(params=["php", "go"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    if request.param == "php":
        return run_php(EXAMPLES / "iopaint.php")
    return build_go(EXAMPLES / "iopaint.go", tmp_path)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fail(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


@contextmanager
def refusing(*answers: tuple[int, str, str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    """A server that answers in turn with status, code and Retry-After; the keys of the requests that came."""
    left, keys = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            status, code, retry_after = left.pop(0)
            body = json.dumps({"detail": "A text.", "code": code, "request_id": "r-1"}).encode()
            self.send_response(status)
            self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {**os.environ, "IOPAINT_BASE_URL": f"http://127.0.0.1:{server.server_port}"}, keys
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_works(command: list[str], environment: dict[str, str], folder: Path) -> None:
    run([*command, "remove", "image.jpg", "found.png"], folder, environment)
    run([*command, "remove", "image.jpg", "result.png", "mask.png"], folder, environment)
    for name in ("found.png", "result.png"):
        assert pictures.pixels((folder / name).read_bytes()).shape == (64, 96, 3)

    assert run([*command, "batch", "results.zip", "img1.jpg", "img2.jpg"], folder, environment).startswith("2 of 2")
    assert zipfile.ZipFile(folder / "results.zip").namelist() == ["img1.png", "img2.png"]

    assert "on enterprise, left: unlimited" in run([*command, "stats"], folder, environment)


def test_errors_tell_their_code(command: list[str], environment: dict[str, str], folder: Path) -> None:
    stranger = {**environment, "IOPAINT_API_KEY": "sk_live_wrong"}

    assert "empty_mask" in fail([*command, "remove", "image.jpg", "a.png", "black.png"], folder, environment)
    assert "invalid_api_key" in fail([*command, "stats"], folder, stranger)
    assert not (folder / "a.png").exists()


def test_what_may_pass_is_tried_again_under_the_same_key(command: list[str], folder: Path) -> None:
    with refusing((429, "rate_limited", "1"), (503, "busy", "1"), (200, "-", "")) as (environment, keys):
        run([*command, "remove", "image.jpg", "a.png"], folder, environment)

    assert len(keys) == 3
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    "answer", [(429, "quota_exceeded", "1"), (429, "rate_limited", "121"), (400, "invalid_image", "")]
)
def test_what_would_not_pass_is_not(command: list[str], folder: Path, answer: tuple[int, str, str]) -> None:
    with refusing(answer) as (environment, keys):
        assert answer[1] in fail([*command, "remove", "image.jpg", "a.png"], folder, environment)

    assert len(keys) == 1


def test_nobody_answers_or_there_is_no_file(command: list[str], folder: Path) -> None:
    assert "127.0.0.1" in fail([*command, "stats"], folder, UNREACHABLE)
    assert "none.jpg" in fail([*command, "remove", "none.jpg", "a.png"], folder, UNREACHABLE)


@pytest.mark.parametrize("language", ["php", "go"])
def test_the_documents_own(language: str, environment: dict[str, str], folder: Path) -> None:
    text = (EXAMPLES / "document.php").read_text() if language == "php" else DOCUMENT_GO
    for placeholder, value in (
        ("https://api.iopaint.com", environment["IOPAINT_BASE_URL"]),
        ("your_api_key_here", environment["IOPAINT_API_KEY"]),
        ("/path/to/image.jpg", "image.jpg"),
    ):
        text = text.replace(placeholder, value)
    source = folder / f"document.{language}"
    source.write_text(text)

    run(run_php(source) if language == "php" else build_go(source, folder), folder, environment)

    assert pictures.pixels((folder / "result.png").read_bytes()).shape == (64, 96, 3)
