"""What is in DATA_DIR is nobody else's to read."""

import sqlite3
import stat

import pytest
from django.conf import settings


def test_it_works() -> None:
    """Before anything is in it: SQLite gives the mode of the database to the files that it makes beside it."""
    database = settings.DATA_DIR / "db.sqlite3"
    if not database.exists():
        pytest.skip("TEST_DATABASE_URL names another")
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS a (b)")
    files = list(settings.DATA_DIR.glob("db.sqlite3*"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
    connection.close()

    assert len(modes) == 3
    assert set(modes.values()) == {0o600}
