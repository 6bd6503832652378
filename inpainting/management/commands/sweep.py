"""Delete what has expired and give back quota that dead processes reserved. The server does so by itself, for cron."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import deletion, limits
from inpainting import storage


class Command(BaseCommand):
    help = "Delete what has expired: files, reservations of processes that died, sessions, unconfirmed sign-ups."

    def handle(self, *args: Any, **options: Any) -> None:
        files, units, ended = storage.sweep(), limits.reclaim(), deletion.sweep()
        self.stdout.write(
            f"{files} expired files deleted, {units} units of quota given back, "
            f"{ended} ended sessions and unconfirmed sign-ups deleted"
        )
