"""Delete stored files without rows and rows without files. The server does so once a day by itself."""

from typing import Any

from django.core.management.base import BaseCommand

from inpainting import reconciliation


class Command(BaseCommand):
    help = "Delete stored files that have no row, and rows whose file is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        done = reconciliation.reconcile()
        self.stdout.write(f"{done.files} files without rows and {done.rows} rows without files deleted")
