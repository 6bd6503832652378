"""Delete what has expired and give back quota that dead processes reserved; once, or every so many seconds."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections

from accounts import limits
from inpainting import storage


class Command(BaseCommand):
    help = "Delete expired uploads and results, give back the quota of requests whose process died."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=int, metavar="SECONDS", help="Go on for ever, so often.")

    def handle(self, *args: Any, every: int | None, **options: Any) -> None:
        while True:
            try:
                files, units = storage.sweep(), limits.reclaim()
                if files or units or not every:
                    self.stdout.write(f"{files} expired files deleted, {units} units of quota given back")
            except OperationalError as error:
                if not every:
                    raise
                self.stderr.write(f"sweep: {error}; trying again in {every} s")
            if not every:
                return
            close_old_connections()
            time.sleep(every)
