"""The service's settings on data of the test run's own."""

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="object-remover-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
# Tests mean the defaults, whatever the developer's shell has set.
for name in (
    *("SITE_URL", "REDIS_URL", "DATABASE_URL", "S3_BUCKET", "API_TOKEN", "INPAINT_MODEL", "LAMA_WEIGHTS", "PRECISION"),
    *(
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "STRIPE_API_BASE",
        "EMAIL_URL",
        "FORM_RATE",
        "CELERY_BROKER_URL",
        "ITEM_LEASE",
        "FETCH_ALLOWED_NETWORKS",
    ),
):
    os.environ.pop(name, None)
os.environ["DATA_DIR"] = _data
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES  # noqa: E402

if not os.environ.get("TEST_DATABASE_URL"):
    # A file, not memory: threads of a test share it as processes do.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
