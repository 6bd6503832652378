"""Delete what has expired and give back quota that dead processes reserved. The server does so by itself, for cron."""

from typing import Any

from django.core.management.base import BaseCommand

from inpainting import expiry


class Command(BaseCommand):
    help = "Delete what has expired: files, reservations of processes that died, sessions, unconfirmed sign-ups."

    def handle(self, *args: Any, **options: Any) -> None:
        swept = expiry.sweep()
        self.stdout.write(
            f"{swept.files} expired files and {swept.batches} batches deleted, "
            f"{swept.units} units of quota given back, "
            f"{swept.sign_ins} ended sessions and unconfirmed sign-ups deleted, "
            f"{swept.events} old events of webhooks deleted, "
            f"{swept.mails} mails about quotas and keys sent"
        )
