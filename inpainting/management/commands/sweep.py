"""Delete what has expired and give back quota that dead processes reserved. The server does so by itself, for cron."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import limits
from inpainting import storage


class Command(BaseCommand):
    help = "Delete expired uploads and results, give back the quota of requests whose process died."

    def handle(self, *args: Any, **options: Any) -> None:
        files, units = storage.sweep(), limits.reclaim()
        self.stdout.write(f"{files} expired files deleted, {units} units of quota given back")
