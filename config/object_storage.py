"""S3, with one session for all threads: each of its own would read the description of S3 anew, 14 MB of memory."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from storages.backends.s3 import S3Storage

_making = threading.Lock()  # a session makes one connection at a time
_session = cache(S3Storage._create_session)


class SharedS3Storage(S3Storage):  # type: ignore[misc] # django-storages has no types
    @property
    def connection(self) -> Any:
        """The thread's own."""
        with _making:
            return super().connection

    def _create_session(self) -> Any:
        return _session(self)
