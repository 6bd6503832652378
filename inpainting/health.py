"""Whether this process can do its job: the engine, the database, the storage. Answers within milliseconds.

Database and storage are asked in threads of their own, and an answer serves for some seconds: balancers ask often, and
whoever asks must not wait for a disk or a network while every core is busy with pictures.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from inpainting import engine, storage

logger = logging.getLogger(__name__)

TIMEOUT = 2.0  # seconds without an answer that count as none
TRY_AGAIN = 5  # seconds after which what could not be reached may be there again


class Check:
    """Something that can be reached or not. An answer serves for `lasts` seconds and is renewed in half that time.

    While that goes on, for TIMEOUT at most, the old one serves: a machine that is busy answers at once.
    """

    def __init__(self, name: str, ask: Callable[[], None], lasts: float) -> None:
        self._name, self._ask, self._lasts = name, ask, lasts
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-check")
        self.forget()

    def forget(self) -> None:
        """Whoever asks next waits for a new answer."""
        self._answered_at, self._asked_at, self._passes = float("-inf"), float("-inf"), False
        self._asking: Future[None] | None = None

    def ask(self) -> None:
        """Ask anew, where the answer is old, and wait for nothing."""
        now = time.monotonic()
        if now - self._answered_at > self._lasts / 2 and (self._asking is None or self._asking.done()):
            self._asking, self._asked_at = self._executor.submit(self._renew), now

    def passes(self) -> bool:
        """Raises nothing; takes microseconds, or up to TIMEOUT when nobody has asked for long."""
        self.ask()
        now = time.monotonic()
        age, rest = now - self._answered_at, self._asked_at + TIMEOUT - now
        if age > self._lasts and self._asking is not None and (rest <= 0 or age > self._lasts + TIMEOUT):
            try:
                self._asking.result(max(0.0, rest))
            except TimeoutError:
                self._note(passes=False)
                logger.error("health: %s has not answered within %s s", self._name, TIMEOUT)  # noqa: TRY400
        return self._passes

    def _renew(self) -> None:
        try:
            self._ask()
            self._note(passes=True)
        except Exception:
            logger.exception("health: %s", self._name)
            self._note(passes=False)

    def _note(self, *, passes: bool) -> None:
        self._passes, self._answered_at = passes, time.monotonic()


@contextmanager
def _new_connection() -> Iterator[BaseDatabaseWrapper]:
    """The pool may be used up, and a connection that is open may not know that its server is gone."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
    try:
        yield connection
    finally:
        connection.close()


def _ask_database() -> None:
    with _new_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_migrations() -> None:
    """Once they are applied, they are: nobody reads the table again."""
    if _migrated.is_set():
        return
    with _new_connection() as connection:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise RuntimeError(f"{len(plan)} migrations are not applied. Run manage.py migrate.")
    _migrated.set()


_migrated = threading.Event()
_loaded = threading.Event()  # the default model was there once: unloaded for others' sake, it comes back when needed
database_check = Check("database", _ask_database, lasts=2)
storage_check = Check("storage", storage.check, lasts=10)
migrations_check = Check("migrations", _ask_migrations, lasts=5)


@dataclass(frozen=True)
class Part:
    """Something the service needs, and whether it works; `problem` is empty, or says in a sentence what is wrong."""

    name: str
    problem: str = ""

    @property
    def works(self) -> bool:
        return not self.problem


def parts() -> list[Part]:
    """The state of everything that is needed to process a picture."""
    state = engine.status()
    return [
        Part("Model", f"The model cannot be loaded: {state.error}" if state.state == "failed" else ""),
        Part("Database", "" if database_check.passes() else "The database cannot be reached."),
        Part("Storage", "" if storage_check.passes() else "The storage cannot be reached."),
    ]


def problem() -> str | None:
    """What keeps this process from working, in a sentence; None when nothing does."""
    return next((part.problem for part in parts() if not part.works), None)


def readiness() -> list[Part]:
    """What must work before requests are sent here: all parts, with the model loaded, and every migration applied.

    Takes TIMEOUT at most: all are asked at once.
    """
    for check in (database_check, storage_check, migrations_check):
        check.ask()
    if engine.status().state == "ready":
        _loaded.set()
    model, *others = parts()
    if model.works and not _loaded.is_set():
        model = Part(model.name, "The model is being loaded.")
    migrated = migrations_check.passes()
    return [model, *others, Part("Migrations", "" if migrated else "Migrations have to be applied.")]
