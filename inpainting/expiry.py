"""What nobody needs any more goes: the service sweeps by itself, `manage.py sweep` does it for cron."""

from __future__ import annotations

from typing import NamedTuple

from accounts import deletion, key_mails, quota_mails, reservations
from accounts.webhooks import events
from inpainting import storage
from inpainting.batches import closing


class Swept(NamedTuple):
    files: int  # uploads and results that had expired, or that a worker which died left
    batches: int
    units: int  # of quota, given back for requests whose process died
    sign_ins: int  # sessions that had ended, and sign-ups that nobody confirmed
    events: int  # of webhooks, kept long enough
    mails: int  # that a quota runs low or a key expires, sent


def sweep() -> Swept:
    return Swept(
        batches=closing.delete_expired(),
        files=closing.discard_leftovers() + storage.delete_expired(),
        units=reservations.reclaim(),
        sign_ins=deletion.delete_stale(),
        events=events.delete_old(),
        mails=quota_mails.send_due() + key_mails.send_due(),
    )
