"""gunicorn's configuration: one process with threads, one engine in it; the reasons are in docs/deployment.md."""

import os
import threading
import time
from typing import Any

SWEEP_EVERY = 300  # seconds
PATIENCE = 10  # seconds that a statement may take a request

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8080')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
# More than may wait for the engine (ENGINE_QUEUE), so that /health and downloads always find a thread.
threads = int(os.environ.get("WEB_THREADS", "32"))
# A thread may be busy for long (a big picture on a small machine); gthread's heartbeat is another thread's.
timeout = 120
graceful_timeout = 60
control_socket_disable = True
# Memory, not disk: gunicorn's heartbeat file would block on a slow disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
accesslog = "-"
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'


def post_worker_init(worker: Any) -> None:
    """After the fork, never before it: a parent that has run torch gives children that hang (docs/deployment.md)."""
    from config.postgres import Connection
    from inpainting import engine

    Connection.patience = PATIENCE
    threading.Thread(target=engine.warm_up, name="warm-up", daemon=True).start()
    threading.Thread(target=_sweep_for_ever, name="sweep", daemon=True).start()


def _sweep_for_ever() -> None:
    import logging

    from django.db import connections

    from inpainting import expiry

    while True:
        try:
            expiry.sweep()
        except Exception:
            logging.getLogger("sweep").exception("sweep failed; trying again in %s s", SWEEP_EVERY)
        finally:
            connections.close_all()
        time.sleep(SWEEP_EVERY)
