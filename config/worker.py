"""gunicorn's threaded worker, for clients that are slow or never go on.

Each connection that has sent something has a thread, of which there may be hundreds: waiting for a client costs a
sleeping thread. No more of them than gunicorn's `threads` work at a time: who waits for its client, or for the engine,
leaves its place, and its connection to the database with it. Health needs no place: it answers also while all of them
are taken.
"""

from __future__ import annotations

import math
import resource
import selectors
import threading
import time
from collections import Counter
from collections.abc import Hashable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from gunicorn import util
from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from config.patience import HEAD, PatientSocket
from config.threads import Threads

# Connections that are accepted at a time, and seconds for which threads are started before others' turn comes: starting
# one takes milliseconds while many are busy.
ACCEPTED, STARTING = 64, 0.01


class PatientWorker(ThreadWorker):
    def init_process(self) -> None:
        # A connection may have a database, a cache and a file open.
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.working = threading.Semaphore(self.cfg.threads)
        # Past these gunicorn accepts nobody; those that gave way and have not ended come on top of what there may be.
        self.worker_connections = 2 * self.cfg.worker_connections
        self.leaving: set[PatientSocket] = set()
        util.write_error = _write_error  # gunicorn has no other place for the form of its own refusals
        super().init_process()

    def get_thread_pool(self) -> Threads:
        return Threads("request", kept=self.cfg.threads)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When it is told to stop, what the system has let in is served, and who comes later hears at once that nobody
        listens. gunicorn keeps the sockets open to its end: who came meanwhile waited for that, and got no answer.
        """
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            connections = -1
            while connections < self.nr_conns:
                connections = self.nr_conns
                self.accept(listener)
            listener.close()
        self.sockets: list[Any] = []

    def accept(self, listener: Any) -> None:
        """It goes on while all places are taken: somebody gives way."""
        for _ in range(ACCEPTED):
            if self.alive and self.nr_conns - len(self.leaving) >= self.cfg.worker_connections:
                self._make_room()
            connections = self.nr_conns
            super().accept(listener)
            if self.nr_conns in (connections, self.worker_connections):
                return

    def _make_room(self) -> None:
        idle = {conn.sock: conns for conns in (self.pending_conns, self.keepalived_conns) for conn in conns}
        for sock in PatientSocket.give_way(idle):
            if sock not in idle:
                self.leaving.add(sock)  # until its thread has ended
                continue
            conn = next(conn for conn in idle[sock] if conn.sock is sock)
            idle[sock].remove(conn)
            self.poller.unregister(sock)
            self.nr_conns -= 1
            conn.close()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Clients have turns: who has one connection does not wait for a thread for each of another's hundreds.

        Those that come too late stay readable. Listeners are last: who gives way to their newcomers is not called then.
        """
        turns: Counter[Hashable] = Counter()
        ready: list[tuple[float, selectors.SelectorKey]] = []
        for key, _ in self.poller.select(timeout):
            if isinstance(key.fileobj, PatientSocket):
                turns[key.fileobj.client] += 1
                ready.append((turns[key.fileobj.client], key))
            else:
                ready.append((math.inf if key.fileobj in self.sockets else 0, key))
        ends = time.monotonic() + STARTING
        for turn, key in sorted(ready, key=lambda each: each[0]):
            if turn <= 1 or turn == math.inf or time.monotonic() < ends:
                key.data(key.fileobj)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        self.leaving.discard(conn.sock)
        conn.sock.idle_since = time.monotonic()
        super().finish_request(conn, fs)

    def enqueue_req(self, conn: TConn) -> None:
        """A new connection gets no thread before it sends something."""
        if isinstance(conn.sock, PatientSocket):
            super().enqueue_req(conn)
            return
        from config.middleware import client_of  # once Django is there

        peer = conn.client[0] if isinstance(conn.client, tuple) else ""
        conn.sock = PatientSocket(conn.sock, self.working, client_of(peer) or object())
        conn.timeout = time.monotonic() + HEAD
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> bool:
        conn.sock.expect_head()
        stays: bool = super().handle(conn)
        if conn.sock.in_head and conn.sock.is_late:
            _write_error(conn.sock, HTTPStatus.REQUEST_TIMEOUT)
        if not stays:
            # Here, because it waits for the client; gunicorn's loop, which would, finds it closed.
            util.close_graceful(conn.sock)
        return stays

    def handle_request(self, req: Any, conn: TConn) -> bool:
        conn.sock.expect_body()
        if isinstance(req.body.reader, ChunkedReader):
            req.body.reader.parser = conn.sock.no_crumbs(req.body.reader.parser)
        if req.path.lstrip("/") in settings.HEALTH_PATHS:
            return bool(super().handle_request(req, conn))
        with conn.sock.place():
            return bool(super().handle_request(req, conn))


def _write_error(sock: PatientSocket, status: int, *gunicorns: str) -> None:
    from config import exceptions  # once Django is there

    content, headers = exceptions.outside_of_django(status)
    lines = [f"HTTP/1.1 {status:d} {HTTPStatus(status).phrase}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    sock.settimeout(HEAD)
    sock.sendall("\r\n".join([*lines, "", ""]).encode() + content)
