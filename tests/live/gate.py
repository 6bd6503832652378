"""A gate before a dependency of the service: open, shut (connections are refused) or hung (nobody answers)."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.live.seaweed import free_ports


class Gate:
    """Forwards 127.0.0.1:port to `target` while it is open."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        (self.port,) = free_ports(1)
        self.flowing = threading.Event()
        self.ended = threading.Event()
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.open()

    def open(self) -> None:
        self._close()
        self.flowing.set()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def shut(self) -> None:
        """As a server that has stopped: open connections end, new ones are refused."""
        self._close()

    def hang(self) -> None:
        """As a server that is frozen: connections open, nothing is answered."""
        self.flowing.clear()

    def end(self) -> None:
        self.ended.set()
        self.flowing.set()
        self._close()

    def _close(self) -> None:
        if hasattr(self, "listener"):
            with suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        for pair in self.pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._forward, args=[client], daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        self.flowing.wait()
        with client, socket.create_connection(self.target) as server, selectors.DefaultSelector() as both:
            self.pairs.append((client, server))
            both.register(client, selectors.EVENT_READ, server)
            both.register(server, selectors.EVENT_READ, client)
            with suppress(OSError):
                while not self.ended.is_set():
                    for key, _ in both.select(0.1):
                        data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                        self.flowing.wait()
                        if not data:
                            return
                        key.data.sendall(data)


@contextmanager
def gate(target: tuple[str, int]) -> Iterator[Gate]:
    made = Gate(target)
    try:
        yield made
    finally:
        made.end()
