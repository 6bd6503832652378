"""Fetching weights, against a server of our own."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from inpainting.engine import load, status, weights
from inpainting.engine.weights import Release, WeightsError, fetch, locate

CONTENT = bytes(range(256)) * 40_000  # 10 MB: several blocks


class Server(ThreadingHTTPServer):
    """Serves `content`; breaks the connection off after `limit` bytes; without `ranges` it sends all every time."""

    content, limit, ranges = CONTENT, 1 << 40, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/big-lama.pt"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.limit])

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def release(server: Server, content: bytes = CONTENT) -> Release:
    return Release("big-lama.pt", server.url, len(content), hashlib.sha256(content).hexdigest())


def test_it_works(server: Server, tmp_path: Path) -> None:
    path = fetch(release(server), tmp_path / "new" / "folder")
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == ["big-lama.pt"]


def test_is_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    fetch(release(server), tmp_path)
    fetch(release(server), tmp_path)
    assert server.asked == [None]


def test_goes_on_where_it_was_broken_off(server: Server, tmp_path: Path) -> None:
    server.limit = 6_000_000
    with pytest.raises(WeightsError, match=r"ended after 6,000,000 of 10,240,000|could not be fetched"):
        fetch(release(server), tmp_path)
    assert not (tmp_path / "big-lama.pt").exists()
    have = (tmp_path / "big-lama.pt.part").stat().st_size
    assert fetch(release(server), tmp_path).read_bytes() == CONTENT
    assert have > 0
    assert server.asked == [None, f"bytes={have}-"]


def test_starts_again_where_the_server_knows_no_ranges(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "big-lama.pt.part").write_bytes(CONTENT[:1000])
    assert fetch(release(server), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT + b"x"], ids=["other bytes", "more bytes"])
def test_refuses_another_file_and_keeps_nothing_of_it(server: Server, tmp_path: Path, content: bytes) -> None:
    server.content = content
    with pytest.raises(WeightsError, match="instead of"):
        fetch(release(server), tmp_path)
    assert not list(tmp_path.iterdir())


def test_never_takes_more_than_it_should(server: Server, tmp_path: Path) -> None:
    wanted = release(server, CONTENT[:100])
    with pytest.raises(WeightsError, match="has 101 bytes instead of 100"):
        fetch(wanted, tmp_path)


def test_two_at_once_fetch_it_once(server: Server, tmp_path: Path) -> None:
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(fetch(release(server), tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == CONTENT for path in paths] == [True] * 4
    assert server.asked == [None]
    assert [path.name for path in tmp_path.iterdir()] == ["big-lama.pt"]


def test_names_stand_for_files(tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    assert locate(str(mine), tmp_path) is None
    mine.touch()
    assert locate(str(mine), tmp_path) == ("mine", mine)
    assert locate("", tmp_path) is None
    assert locate("big-lama", tmp_path) is None
    (tmp_path / "big-lama.pt").touch()
    assert locate("", tmp_path) == locate("big-lama", tmp_path) == ("big-lama", tmp_path / "big-lama.pt")


class TestCommand:
    @pytest.fixture(autouse=True)
    def _small_release(self, server: Server, monkeypatch: pytest.MonkeyPatch, nothing_loaded: Settings) -> None:
        monkeypatch.setattr(weights, "BIG_LAMA", release(server))

    def test_it_works(self, nothing_loaded: Settings) -> None:
        call_command("fetch_weights", stdout=(out := StringIO()))
        path = nothing_loaded.WEIGHTS_DIR / "big-lama.pt"
        assert out.getvalue() == f"big-lama is in {path}\n"
        assert path.read_bytes() == CONTENT

    def test_fails_with_a_reason(self, nothing_loaded: Settings) -> None:
        nothing_loaded.BIG_LAMA_URL = "http://127.0.0.1:9/big-lama.pt"
        with pytest.raises(CommandError, match=r"127\.0\.0\.1:9/big-lama.pt could not be fetched: .*refused"):
            call_command("fetch_weights")

    def test_shrugs_and_says_so_if_asked_to(self, nothing_loaded: Settings) -> None:
        nothing_loaded.BIG_LAMA_URL = "http://127.0.0.1:9/big-lama.pt"
        call_command("fetch_weights", "--if-reachable", stdout=(out := StringIO()))
        assert out.getvalue().startswith("Without big-lama: ")
        assert out.getvalue().count("\n") == 1

    def test_says_when_the_file_is_not_the_release(self, server: Server) -> None:
        server.content = CONTENT[:-1] + b"x"
        with pytest.raises(CommandError, match="has the SHA-256"):
            call_command("fetch_weights")


def test_the_engine_fetches_checks_loads_and_runs_what_is_published(
    server: Server, small_weights: Path, nothing_loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = small_weights.read_bytes()
    published = Release("big-lama.safetensors", server.url, len(server.content), _sha256(server.content))
    monkeypatch.setattr(weights, "BIG_LAMA", published)
    nothing_loaded.LAMA_WEIGHTS = "big-lama"
    assert load().weights == "big-lama"
    assert (status().state, status().weights) == ("ready", "big-lama")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
