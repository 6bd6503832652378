"""What the service promises about memory, time and answers, kept or not: `python -m benchmarks.soak`.

The real server is started as script/server starts it, on a free port and a temporary database. One client asks every
question twice, alone: its answers are what all others are compared with, byte by byte. Then so many pictures are sent,
and memory is looked at; many clients ask at once for so many minutes; and the server is told to stop under load.

The whole promise, which takes hours:   python -m benchmarks.soak --pictures 10000 --clients 64 --minutes 10
What CI does (tests/live/test_soak.py):  the same functions, for seconds

Exits 1 where a promise is broken. Times are those of the clients, who share the processors with the server.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import machine
from benchmarks.load import health_watched, percentile
from benchmarks.questions import SIZES, Answer, Question, mixed, send

if TYPE_CHECKING:
    from tests.live.service import Service

FIRST = 100  # pictures, after which memory is first looked at
SETTLE = 12.0  # seconds: what large pictures took is given back to the system within ten
AT_ONCE = 4  # clients that send the pictures whose memory is measured
GROWTH, HEALTH, OVERLOAD = 0.05, 0.050, 0.100  # share, seconds, seconds
# As script/server sets them. Clients share an account, and stand for many.
SERVER = {
    **machine.ALLOCATOR,
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "ENGINE_CONCURRENCY": "64",
    "LOG_FORMAT": "json",
}


class Promise(NamedTuple):
    what: str
    goal: str
    measured: str
    kept: bool


@dataclass
class Seen:
    """What clients saw. A lost answer is none, though the request was sent; a wrong one is not the single client's."""

    answers: Counter[int] = field(default_factory=Counter)  # by status
    lost: int = 0
    wrong: list[str] = field(default_factory=list)  # names of questions
    refused: list[float] = field(default_factory=list)  # seconds of each 503
    hasty: int = 0  # 503s without Retry-After

    def note(self, question: Question, answer: Answer, expected: str) -> None:
        if answer.refused:
            return
        self.answers[answer.status] += 1
        self.lost += answer.status == 0
        if answer.status == 503:
            self.refused.append(answer.seconds)
            self.hasty += not answer.retry_after
        elif answer.status != 0 and (answer.status != 200 or answer.digest != expected):
            self.wrong.append(f"{answer.status} {question.name}")

    def add(self, other: Seen) -> None:
        self.answers += other.answers
        self.lost += other.lost
        self.wrong += other.wrong
        self.refused += other.refused
        self.hasty += other.hasty

    @property
    def told(self) -> str:
        statuses = ", ".join(f"{count} x {status or 'lost'}" for status, count in sorted(self.answers.items()))
        return statuses + (f"; wrong: {Counter(self.wrong).most_common(3)}" if self.wrong else "")


class Soak:
    def __init__(self, service: Service, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
        self._service = service
        self.key = service.key("enterprise")
        self._questions = mixed(self.key, sizes)
        self._expected: dict[str, str] = {}

    def learn(self) -> Promise:
        """What a single client is answered; the same each time."""
        twice = [[question.ask(self._service.url) for question in self._questions] for _ in range(2)]
        once, again = twice
        self._expected = {question.name: answer.digest for question, answer in zip(self._questions, once, strict=True)}
        same = sum(a.status == 200 and a == replace(b, seconds=a.seconds) for a, b in zip(once, again, strict=True))
        return Promise("the same answer twice", "all", f"{same} of {len(once)}", same == len(once))

    def fill(self, pictures: int, first: int = FIRST, settle: float = SETTLE) -> Promise:
        """So many pictures; what the process holds after the first ones, and after all."""
        seen = self._send(first)
        time.sleep(settle)
        early = self.memory()
        seen.add(self._send(pictures - first))
        time.sleep(settle)
        late = self.memory()
        goal = f"at most {GROWTH:.0%} more after {pictures:,} pictures than after {first}"
        measured = f"{early:,.0f} -> {late:,.0f} MiB ({late / early - 1:+.1%}); {seen.told}"
        return Promise("memory", goal, measured, late <= early * (1 + GROWTH) and not seen.wrong and not seen.lost)

    def crowd(self, clients: int, seconds: float) -> list[Promise]:
        """So many clients for so long, while a process of its own asks /health."""
        with health_watched(self._service.url) as health:
            seen = self._until(time.monotonic() + seconds, clients)
        answered = seen.answers[200]
        return [
            Promise(
                f"{clients} clients for {seconds / 60:.1f} minutes",
                "no answer lost or wrong",
                f"{seen.told}; {answered / seconds:.1f} a second",
                not seen.lost and not seen.wrong and answered > 0,
            ),
            _time("health meanwhile, p99", HEALTH, health),
            _time("503 when overloaded, p99", OVERLOAD, seen.refused),
            _time("503, in the server", OVERLOAD, self.refusals()),
            Promise("503 says when to come back", "all", f"{seen.hasty} do not", not seen.hasty),
        ]

    def stop_under_load(self, clients: int) -> list[Promise]:
        """SIGTERM while clients send: each request that was taken is answered, and nothing else was paid for."""
        before, seen = self.used(), Seen()
        over = threading.Event()

        def client(number: int) -> Seen:
            mine, chosen = Seen(), random.Random(number)  # noqa: S311 - no secret
            while not over.is_set():
                question = chosen.choice(self._questions)
                answer = question.ask(self._service.url)
                if answer.refused:
                    break
                mine.note(question, answer, self._expected[question.name])
            return mine

        with ThreadPoolExecutor(clients) as pool:
            clients_seen = [pool.submit(client, number) for number in range(clients)]
            time.sleep(2)
            self._service.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            self._service.process.wait(400)
            took = time.monotonic() - started
            over.set()
            self._service.start()
            for each in clients_seen:
                seen.add(each.result())
        paid = self.used() - before
        return [
            Promise("SIGTERM under load", "no answer lost or wrong", seen.told, not seen.lost and not seen.wrong),
            Promise("paid for", "answers alone", f"{paid} units, {took:.0f} s to stop", paid <= seen.answers[200]),
        ]

    def memory(self) -> float:
        """MiB that gunicorn's workers hold now."""
        return sum(_resident(pid) for pid in _children(self._service.process.pid)) / 1024

    def used(self) -> int:
        response, content = send(self._service.url, "/api/v1/stats", headers={"X-API-Key": self.key})
        assert response.status == 200, content  # noqa: S101 - a benchmark that cannot ask has nothing to say
        return int(json.loads(content)["quota"]["used"])

    def refusals(self) -> list[float]:
        """Seconds that the server itself took for its 503s, by its log."""
        lines = self._service.log.read_text().splitlines()
        told = [json.loads(line) for line in lines if '"gunicorn.access"' in line]
        return [line["seconds"] for line in told if line["status"] == 503]

    def _send(self, pictures: int) -> Seen:
        """So many, AT_ONCE at a time; after a 503 the same again."""
        chosen = random.Random(pictures)  # noqa: S311 - no secret
        asked = [chosen.choice(self._questions) for _ in range(pictures)]
        seen = Seen()

        def ask(question: Question) -> tuple[Question, Answer]:
            while (answer := question.ask(self._service.url)).status == 503:
                time.sleep(float(answer.retry_after))
            return question, answer

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for question, answer in pool.map(ask, asked):
                seen.note(question, answer, self._expected[question.name])
        return seen

    def _until(self, end: float, clients: int) -> Seen:
        def client(number: int) -> Seen:
            mine, chosen = Seen(), random.Random(number)  # noqa: S311 - no secret
            while time.monotonic() < end:
                question = chosen.choice(self._questions)
                answer = question.ask(self._service.url)
                mine.note(question, answer, self._expected[question.name])
                if answer.status == 503:
                    time.sleep(max(0.0, min(float(answer.retry_after or 1), end - time.monotonic())))
            return mine

        seen = Seen()
        with ThreadPoolExecutor(clients) as pool:
            for each in pool.map(client, range(clients)):
                seen.add(each)
        return seen


def _time(what: str, goal: float, seconds: Sequence[float]) -> Promise:
    if not seconds:
        return Promise(what, f"{1000 * goal:.0f} ms", "there was none", True)
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    measured = f"p50 {1000 * p50:.1f}, p99 {1000 * p99:.1f}, max {1000 * max(seconds):.0f} ms of {len(seconds)}"
    return Promise(what, f"{1000 * goal:.0f} ms", measured, p99 <= goal)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> int:
    """KiB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0])


def table(promises: Sequence[Promise]) -> Iterator[str]:
    yield "| promise | goal | measured | kept |"
    yield "|---|---|---|---|"
    for promise in promises:
        yield f"| {promise.what} | {promise.goal} | {promise.measured} | {'yes' if promise.kept else '**no**'} |"


def main() -> None:
    from tests.live.service import running

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000, help=f"More than {FIRST}.")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    print(machine.describe(), "\n")
    threads = os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count())
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), **SERVER, OMP_NUM_THREADS=threads) as service:
        soak = Soak(service)
        promises = [soak.learn()]
        promises.append(soak.fill(options.pictures))
        promises += soak.crowd(options.clients, 60 * options.minutes)
        promises += soak.stop_under_load(options.clients)
    print(*table(promises), sep="\n")
    sys.exit(not all(promise.kept for promise in promises))


if __name__ == "__main__":
    main()
