"""Whether this process can do its job: the engine, the database, the storage. Answers within milliseconds."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import Error, connection

from inpainting import engine, storage

logger = logging.getLogger(__name__)

STORAGE_TIMEOUT = 2.0  # seconds
STORAGE_CHECK_LASTS = 5.0  # seconds: balancers ask often, S3 is a request away

_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage-check")
_last_storage_check: tuple[float, bool] = (float("-inf"), False)


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
        Part("Database", "" if _database_answers() else "The database cannot be reached."),
        Part("Storage", "" if _storage_answers() else "The storage cannot be reached."),
    ]


def problem() -> str | None:
    """What keeps this process from working, in a sentence; None when nothing does."""
    return next((part.problem for part in parts() if not part.works), None)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        logger.exception("health: database")
        return False
    return True


def _storage_answers() -> bool:
    global _last_storage_check  # noqa: PLW0603 - one answer for all threads of the process
    checked_at, answers = _last_storage_check
    if time.monotonic() - checked_at < STORAGE_CHECK_LASTS:
        return answers
    try:
        _executor.submit(storage.reachable).result(timeout=STORAGE_TIMEOUT)
        answers = True
    except Exception:
        logger.exception("health: storage")
        answers = False
    _last_storage_check = (time.monotonic(), answers)
    return answers
