"""Sessions in the database, as Django has them: SESSION_ENGINE."""

from __future__ import annotations

import re
from typing import Any

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY as WAITS
from django.contrib.sessions.backends import db

KEY = re.compile("[a-z0-9]{32}")
LONGEST_FORM = 32 << 10  # characters, with the request's headers


class SessionStore(db.SessionStore):
    """A cookie that holds no key of Django's counts as none. Quoted, it may hold NUL, which PostgreSQL refuses."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and KEY.fullmatch(key) is not None

    def __setitem__(self, key: str, value: Any) -> None:
        """A form that waits for the password again is kept here whole, for weeks if need be: not where it is long.

        Its page is shown again then, to be filled in.
        """
        if key == WAITS and len(str(value)) > LONGEST_FORM:
            self.pop(key, None)  # nor an earlier one, which would be sent in its place
        else:
            super().__setitem__(key, value)
