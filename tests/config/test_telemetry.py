"""Traces reach a collector that is really there; without one, or without the packages, nothing is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULT = "output_0123456789abcdef0123456789abcdef.png"
ASK = f"""
import os
from config.wsgi import application
from django.core.management import call_command
call_command("migrate", verbosity=0)
import numpy as np
from django.test import Client
from opentelemetry import trace
from inpainting import engine
Client(headers={{"Host": "localhost"}}).get("/download/{RESULT}?private=1")
hole = np.zeros((32, 32), np.uint8); hole[8:16, 8:16] = 255
engine.inpaint(np.zeros((32, 32, 3), np.uint8), hole, "patchmatch")
trace.get_tracer_provider().shutdown()
"""


class Collector:
    """Keeps what is posted to /v1/traces."""

    def __init__(self) -> None:
        bodies = self.bodies = []  # type: ignore[var-annotated]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def run(code: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**inherited, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(folder), **env},
        capture_output=True,
        text=True,
        check=True,
    )


def test_it_works(tmp_path: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    collector = Collector()
    done = run(ASK, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_EXPORTER_OTLP_COMPRESSION="none")
    collector.server.shutdown()

    assert collector.bodies, done.stderr
    spans = [
        span
        for path, body in collector.bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if path == "/v1/traces"
    ]
    assert {"GET download", "inpaint", "wait"} <= {span.name for span in spans}
    assert "object-remover" in str(collector.bodies)
    assert RESULT[:-4] not in str(spans)
    assert "private" not in str(spans)


def test_without_an_endpoint_nothing_is_imported(tmp_path: Path) -> None:
    code = "import sys, config.wsgi; sys.exit('opentelemetry.instrumentation.django' in sys.modules)"

    run(code, tmp_path)


def test_without_the_packages_the_log_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['opentelemetry.sdk'] = None; import config.wsgi"
    done = run(code, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert "nothing is traced" in done.stderr
    assert "pip install -r requirements-telemetry.txt" in done.stderr


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
