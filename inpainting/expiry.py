"""What nobody needs any more goes: the service sweeps by itself, `manage.py sweep` does it for cron."""

from __future__ import annotations

from typing import NamedTuple

from accounts import deletion, reservations
from inpainting import storage


class Swept(NamedTuple):
    files: int  # uploads and results that had expired
    units: int  # of quota, given back for requests whose process died
    sign_ins: int  # sessions that had ended, and sign-ups that nobody confirmed


def sweep() -> Swept:
    return Swept(storage.delete_expired(), reservations.reclaim(), deletion.delete_stale())
