"""A web server of a test's own, that answers to the byte what it is told; and names that lead to it."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Web(socketserver.ThreadingTCPServer):
    """`pages`: what is sent for each path, whole; `heads`: what was asked for, in order."""

    daemon_threads, block_on_close = True, False

    def __init__(self, host: str, tls: ssl.SSLContext | None) -> None:
        super().__init__((host, 0), _Handler)
        self.tls = tls
        self.pages: dict[str, Iterable[bytes]] = {}
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.lock = threading.Lock()  # held while both lists get their entry

    def url(self, path: str = "/", host: str | None = None) -> str:
        own, port = self.server_address[:2]
        return f"http{'s' if self.tls else ''}://{host or own!s}:{port}{path}"

    def put(self, path: str, body: bytes, status: str = "200 OK", **headers: str) -> str:
        """Its address."""
        told = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        self.pages[path] = ["\r\n".join(lines).encode("latin-1") + body]
        return self.url(path)


class _Handler(socketserver.BaseRequestHandler):
    server: Web

    def handle(self) -> None:
        with suppress(OSError):  # who asked has gone away
            if self.server.tls:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            with self.request.makefile("rb") as stream:
                head = b"".join(iter(stream.readline, b"\r\n")).decode()
                headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:])
                length = int(headers.get("content-length", 0))
                body = stream.read(length)
            if len(body) < length:  # whoever sent it was killed
                return
            with self.server.lock:
                self.server.heads.append(head)
                self.server.bodies.append(body)
            path = head.split()[1].partition("?")[0]
            for block in self.server.pages.get(path, [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]):
                self.request.sendall(block)


@contextmanager
def serving(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    with Web(host, tls) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield web
        finally:
            web.shutdown()
            thread.join()


class Names:
    """The test's resolver: `known` has a name's addresses, a list for each time that it is asked; the last stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr("socket.getaddrinfo", self._resolve)

    def _resolve(self, host: str, port: int, *args: object, **kwargs: object) -> object:
        if host not in self.known:
            return self._real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        self.asked.append(host)
        times = self.known[host]
        addresses = times.pop(0) if len(times) > 1 else times[0]
        return [entry for address in addresses for entry in self._real(address, port, type=socket.SOCK_STREAM)]


def certificate(folder: Path, *names: str, days: int = 1) -> Path:
    """A file with a key and a certificate that it signed itself, for names and addresses; `days` < 0: it has ended."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    others = [x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=9))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(others), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{names[0]}{days}.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return path
