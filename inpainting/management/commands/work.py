"""Work on batches and send webhooks, beside the web processes, or on any machine that has their database."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from accounts.webhooks.work import Sender
from config import exposition, telemetry
from inpainting.batches.work import ALL, GRACE, Workers


class Command(BaseCommand):
    help = "Work on batches and send webhooks until SIGTERM or SIGINT; then the picture at hand ends or is handed back."

    def handle(self, *args: Any, **options: Any) -> None:
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told.set())
        telemetry.start()
        exposition.serve()
        workers, sender = Workers(ALL), Sender()
        workers.start()
        sender.start()
        told.wait()
        self.stdout.write(f"Stopping; the picture at hand has {GRACE:.0f} seconds.")
        sender.stop()
        workers.stop()
