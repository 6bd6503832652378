"""gunicorn's configuration: one process with threads, one engine in it; the reasons are in docs/deployment.md."""

import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

SWEEP_EVERY = 300  # seconds
RECONCILE_EVERY = 24 * 3600
WAKE_EVERY = 10
GIVE_BACK_EVERY = 10
# Seconds that a thread keeps Python's lock while others want it: /health takes it a dozen times, each time after all
# requests that are being worked on.
TURN = 0.0005
PATIENCE = 10  # seconds that a statement may take a request

# A batch's files wait on the disk, all of them open.
_most_files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 16)
resource.setrlimit(resource.RLIMIT_NOFILE, (_most_files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

bind = [f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8080')}"]
if int(os.environ.get("METRICS_PORT") or 0):
    bind.append(f"{os.environ.get('METRICS_HOST', '127.0.0.1')}:{os.environ['METRICS_PORT']}")
worker_class = "config.worker.PatientWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
# Requests that are worked on at once. Those that wait for their clients or for the engine are not among them
# (config/worker.py), so that downloads and refusals always find a place.
threads = int(os.environ.get("WEB_THREADS", "32"))
worker_connections = 1000
sendfile = False  # it knows no deadline
# Whom to believe is said by TRUSTED_PROXIES alone (config/middleware.py).
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
# A thread may be busy for long (a big picture on a small machine); gthread's heartbeat is another thread's.
timeout = 120
# As long as a request may take: past this its unit of quota is given back.
graceful_timeout = int(os.environ.get("RESERVATION_TTL", "300"))
control_socket_disable = True
# Memory, not disk: gunicorn's heartbeat file would block on a slow disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
accesslog = "-"
logger_class = "config.logs.ServerLogger"  # no path: it may hold a result's name
# Where processes write what they count, for whichever answers Prometheus; known before any is started.
_COUNTS = "object-remover-metrics-"
if {"METRICS_PORT", "METRICS_TOKEN"} & set(os.environ) and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=_COUNTS, dir=worker_tmp_dir)


def child_exit(server: Any, worker: Any) -> None:
    """What a process counted stays; what it held is gone with it."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if os.path.basename(folder).startswith(_COUNTS):  # ours, not the operator's
        shutil.rmtree(folder, ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """After the fork, never before it: a parent that has run torch gives children that hang (docs/deployment.md)."""
    from config.postgres import Connection
    from inpainting import engine

    sys.setswitchinterval(TURN)
    Connection.patience = PATIENCE
    threading.Thread(target=engine.warm_up, name="warm-up", daemon=True).start()
    threading.Thread(target=_give_back_for_ever, name="memory", daemon=True).start()
    threading.Thread(target=_sweep_for_ever, name="sweep", daemon=True).start()
    threading.Thread(target=_reconcile_for_ever, name="reconcile", daemon=True).start()
    _start_working(worker)


def _give_back_for_ever() -> None:
    from config import metrics
    from inpainting import admission

    def look_after() -> None:
        admission.give_back()
        metrics.note_memory()

    _for_ever(look_after, GIVE_BACK_EVERY)


def _sweep_for_ever() -> None:
    from inpainting import expiry

    _for_ever(expiry.sweep, SWEEP_EVERY)


def _reconcile_for_ever() -> None:
    from inpainting import reconciliation

    _for_ever(reconciliation.reconcile, RECONCILE_EVERY)


def _for_ever(do: Callable[[], object], every: float) -> None:
    import logging

    from django.db import connections

    while True:
        try:
            do()
        except Exception:
            logging.getLogger(__name__).exception("trying again in %s s", every)
        finally:
            connections.close_all()
        time.sleep(every)


def worker_exit(server: Any, worker: Any) -> None:
    """The batch's picture that is worked on ends, or is handed back."""
    if hasattr(worker, "of_webhooks"):
        worker.of_webhooks.stop()
    if hasattr(worker, "of_batches"):
        worker.of_batches.stop()


def _start_working(worker: Any) -> None:
    """Webhooks are sent here, pictures fetched; batches are worked on here, unless a broker wakes others for them."""
    from django.conf import settings

    from accounts.webhooks.work import Sender
    from inpainting.batches.work import ALL, FETCHERS, Workers

    worker.of_webhooks = Sender()
    worker.of_webhooks.start()
    worker.of_batches = Workers(FETCHERS if settings.CELERY_BROKER_URL else ALL)
    worker.of_batches.start()
    if settings.CELERY_BROKER_URL:
        threading.Thread(target=_wake_for_ever, name="wake", daemon=True).start()


def _wake_for_ever() -> None:
    """Wake-ups get lost with a broker, and nobody sends one when a worker dies: look for what waits."""
    from inpainting.batches import claims
    from inpainting.batches.wake import bell

    def look() -> None:
        claims.take_back_abandoned()
        if claims.anything_waits():
            bell.wake()

    _for_ever(look, WAKE_EVERY)
