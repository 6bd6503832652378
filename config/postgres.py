"""A PostgreSQL that hangs (a stopped process, a cut cable) fails like one that refuses, instead of holding threads."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection
from psycopg.abc import PQGen


class Connection(psycopg.Connection[Any]):
    """A statement that takes longer than `patience` raises OperationalError and ends the connection.

    Seconds; None, where commands of manage.py run (migrations among them): any time. A web process sets it.
    """

    patience: float | None = None

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except psycopg.errors._WaitTimeout:  # psycopg has no public name for it
            self.pgconn.finish()  # the late answer would be taken for the next statement's
            raise


def lend_connection() -> None:
    """Leave this thread's to others while it waits for something else; a transaction keeps it.

    SQLite has no pool: nobody waits for a connection, and opening one anew costs something.
    """
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()
