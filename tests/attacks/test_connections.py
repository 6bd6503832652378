"""Who has many connections has no more turns than who has one; who gives way is who has most."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from config import worker
from config.patience import PatientSocket


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connection(stack: ExitStack, client: str, sends: bytes = b"") -> PatientSocket:
    ours, theirs = map(stack.enter_context, socket.socketpair())
    theirs.sendall(sends)
    return PatientSocket(ours, threading.Semaphore(), client)


def test_turns(opened: ExitStack) -> None:
    """Threads are started for 10 ms, then others are looked for."""
    dispatcher = object.__new__(worker.PatientWorker)
    dispatcher.sockets, dispatcher.poller = [], opened.enter_context(selectors.DefaultSelector())
    served: list[str] = []

    def serve(sock: PatientSocket) -> None:
        dispatcher.poller.unregister(sock)
        served.append(sock.client)  # type: ignore[arg-type]
        time.sleep(worker.STARTING / 4)

    for client in ["greedy"] * 50 + ["other"]:
        dispatcher.poller.register(connection(opened, client, b"GET"), selectors.EVENT_READ, serve)
    dispatcher.wait_for_and_dispatch_events(1)

    assert "other" in served[:2]
    assert 2 <= len(served) < 10
    while len(served) < 51:
        dispatcher.wait_for_and_dispatch_events(1)


def test_who_gives_way(opened: ExitStack) -> None:
    """The oldest of who has most, a sixteenth of them at a time; nobody for another's that are busy."""
    (other, *greedy) = [connection(opened, client) for client in ["other"] + ["greedy"] * 32]

    assert PatientSocket.give_way([*greedy[::-1], other]) == greedy[:2]
    assert PatientSocket.give_way([other]) == []
    for sock in greedy[1:]:
        sock.close()
    assert PatientSocket.give_way([greedy[0], other]) == [other]
