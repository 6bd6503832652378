"""Sessions in the database, as Django has them: SESSION_ENGINE."""

from __future__ import annotations

import re

from django.contrib.sessions.backends import db

KEY = re.compile("[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """A cookie that holds no key of Django's counts as none. Quoted, it may hold NUL, which PostgreSQL refuses."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and KEY.fullmatch(key) is not None
