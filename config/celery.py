"""Workers that a broker wakes: `celery -A config.celery worker`. A message says that there is work, not what.

A worker that dies with a message gives it back (late acknowledgement) and hoards none (prefetch 1); a message that is
lost or doubled does no harm, because rows say what is to be done and the web processes look for them (gunicorn.py).
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")


@worker_init.connect  # type: ignore[untyped-decorator]
def show_outside(**kwargs: Any) -> None:
    """Metrics and traces, as the web processes have them."""
    from config import exposition, telemetry

    telemetry.start()
    exposition.serve()


@app.task(name="work")  # type: ignore[untyped-decorator]
def work() -> None:
    """One item, and word to whoever is free that there may be more."""
    from inpainting.batches.wake import bell
    from inpainting.batches.work import Worker

    if Worker().work_next():
        bell.wake()


@app.task(name="deliver")  # type: ignore[untyped-decorator]
def deliver() -> None:
    """One delivery of a webhook, and word to whoever is free that there may be more."""
    from accounts.webhooks import deliveries
    from accounts.webhooks.wake import bell

    if deliveries.work_next():
        bell.wake()
