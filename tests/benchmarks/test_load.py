"""The load benchmark against a server that answers at once, and its table."""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import load, photographs
from benchmarks.load import Results

ANSWERS = [(200, {}), (503, {"Retry-After": "0"}), (500, {})]


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        count = 0

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = ANSWERS[Handler.count % len(ANSWERS)]
            Handler.count += 1
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_works(server: str) -> None:
    results = Results()
    load.work(server, [(b"picture", {})], time.monotonic() + 0.2, results)

    assert set(results.statuses) == {200, 503, 500}
    assert len(results.seconds) == results.statuses[200]


def test_a_server_that_is_gone_is_counted() -> None:
    results = Results()
    load.work("http://127.0.0.1:9", [(b"picture", {})], time.monotonic() + 0.05, results)

    assert set(results.statuses) == {"ConnectionRefusedError"}


def test_percentiles() -> None:
    values = list(range(100, 0, -1))

    assert (load.percentile(values, 0.5), load.percentile(values, 0.99)) == (51, 100)
    assert math.isnan(load.percentile([], 0.5))


def test_the_table() -> None:
    results = Results([0.1, 0.3], Counter({200: 2, 503: 4, 500: 1}))

    assert load.row(8, 4.0, results, [0.002, 0.004], 900.4) == (
        "| 8 | 0.50 | 300 | 300 | 300 | 4 | 1 x 500 | 3.0 | 4.0 | 4 | 900 |"
    )


def test_masks_have_the_share_they_promise() -> None:
    assert (photographs.corner_watermark(1024, 1024) > 0).mean() == pytest.approx(0.02, abs=0.001)
    assert (photographs.spots(1024, 1024) > 0).mean() == pytest.approx(0.1, abs=0.01)
