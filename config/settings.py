"""Settings, driven by the environment; without any, the service runs on SQLite and local files.

`docs/configuration.md` lists every variable. SITE_URL decides what depends on https.
"""

import secrets
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import environ
from corsheaders.defaults import default_headers
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

VERSION = "1.0.0"

# --- who may reach the site, and how ---------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
# Without SECRET_KEY each start makes its own: sessions end with the process. script/server keeps one in DATA_DIR.
SECRET_KEY = env.str("SECRET_KEY", default="") or secrets.token_urlsafe(50)
# Older ones, newest first: what they signed and encrypted stays good.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SITE_URL = env.str("SITE_URL", default="http://localhost:8080").rstrip("/")
_site = urlsplit(SITE_URL)
HTTPS = _site.scheme == "https"
if HTTPS and not env.str("SECRET_KEY", default=""):
    raise ImproperlyConfigured("SITE_URL is https, so this is production: SECRET_KEY must come from the environment.")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_site.hostname or "localhost", "localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
# Networks whose X-Forwarded-For and X-Forwarded-Proto are believed, such as 10.0.0.0/8.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None

SECURE_SSL_REDIRECT = HTTPS
# Asked by balancers over whatever address and scheme they reach the machine by.
HEALTH_PATHS = ["health", "api/v1/health", "livez", "readyz", "metrics"]
SECURE_REDIRECT_EXEMPT = [rf"^{path}$" for path in HEALTH_PATHS]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # the QR code of a second factor
        "style-src": [SELF, NONCE],  # the page of a failure, which stands alone
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # A form that leads to Stripe is answered with a redirect there, which browsers count as its target too.
        "form-action": [SELF, "https://checkout.stripe.com", "https://billing.stripe.com"],
    }
}
PERMISSIONS_POLICY = (
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()"
)

# Sites whose scripts may call the APIs, such as https://shop.example. The public object remover surface takes all.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
OBJECT_REMOVER_URLS_REGEX = r"^/(health$|upload-|inpaint|download/|result/)"
CORS_URLS_REGEX = rf"{OBJECT_REMOVER_URLS_REGEX}|^/api/v1/"  # not /editor: it goes by the session
CORS_ALLOW_HEADERS = [*default_headers, "x-api-key", "idempotency-key", "prefer", "last-event-id"]
CORS_EXPOSE_HEADERS = [
    *("X-Request-Id", "Retry-After", "ETag", "Location", "Content-Disposition", "Idempotency-Replayed"),
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    *("X-Quota-Limit", "X-Quota-Remaining", "X-Quota-Reset", "X-Credits-Charged", "X-Sandbox"),
    *("X-Mask-Source", "X-Mask-Coverage", "X-Mask-Pixels", "X-Mask-Confidence"),
    *("X-Processing-Time", "X-Image-Size", "X-Expires-At"),
]

# --- the application -------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.AdminSiteConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "corsheaders",
    "accounts",
    "inpainting",
]

MIDDLEWARE = [
    "config.middleware.RequestId",
    "config.middleware.Observed",
    "config.middleware.InternalPort",
    "config.middleware.TrustedProxies",
    "config.middleware.AnswerHeaders",
    "config.middleware.AnyHostForHealth",
    "config.middleware.Cors",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.FormSize",
    "config.middleware.FormRate",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "config.middleware.Foreseen",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
CSRF_FAILURE_VIEW = "config.exceptions.csrf_failure"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.site",
            ],
        },
    },
]

AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["accounts.hashing.PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- sign-up and sign-in (django-allauth), mail ----------------------------------------------------------------------

SITE_NAME = env.str("SITE_NAME", default="Object Remover")
# Shown to people as the address to write to; empty: none is shown.
CONTACT_EMAIL = env.str("CONTACT_EMAIL", default="")
# Who runs the site, in the footer, such as: Example Ltd, 1 High Street, London; empty: nothing is shown.
COMPANY = env.str("COMPANY", default="")
# consolemail:// prints mail; smtp+tls://user:password@host:587 sends it; filemail:////folder writes files.
vars().update(env.email("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10  # seconds: a mail server that hangs holds nobody up for longer
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <noreply@{_site.hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# Only who is new could change it (a TODO of allauth): the page would tell which addresses have an account.
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = False
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# As long as a sign-up code: mail is slow at times. Pages and mails say it.
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# django-allauth's own stand beside these.
ACCOUNT_RATE_LIMITS = {
    "login_failed_anywhere": "20/h/key",  # past it a password alone does not sign in (accounts.adapters)
    # Mails to one address: past these its page looks as always, and nothing is mailed. django-allauth would show an
    # error instead, to an owner whose mails strangers have used up.
    "confirmations_mailed": "1/10s/key",
    "resets_mailed": "5/m/key",
    "mailed_for_one": "2/10m/key",  # mails of one kind to one mailbox, as one network address asks for them
    "confirm_email": "",
    "reset_password": "20/m/ip",
}
ACCOUNT_FORMS = {
    "signup": "accounts.forms.account.SignUpForm",
    "login": "accounts.forms.account.SignInForm",
    "add_email": "accounts.forms.account.NewEmailForm",
    "change_password": "accounts.forms.account.NewPasswordForm",
    "reset_password": "accounts.forms.account.ForgottenPasswordForm",
    "reauthenticate": "accounts.forms.account.OnceMoreForm",
    "reset_password_from_key": "accounts.forms.account.PasswordAfterCodeForm",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_FORMS = {"activate_totp": "accounts.forms.two_factor.FirstCodeForm"}
MFA_TOTP_ISSUER = SITE_NAME
USERSESSIONS_TRACK_ACTIVITY = False  # a write on every page view otherwise

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"

# --- database, cache, storage ----------------------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Nobody else's to read: SQLite gives the files beside it the same mode.
    _file = Path(DATABASES["default"]["NAME"])
    if _file.parent.is_dir() and _file.name != ":memory:":
        _file.touch()
        _file.chmod(0o600)
    # IMMEDIATE: a transaction takes the write lock at its start, so that two that read first cannot deadlock.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    from config.gunicorn import threads
    from config.postgres import Connection

    # A connection a thread, and some for the sweep and other work beside requests. A failed attempt is given up, not
    # repeated ever more slowly: the next request tries anew.
    _pool = {
        **{"min_size": 1, "max_size": threads + 8},
        **{"timeout": 3, "reconnect_timeout": 1, "connection_class": Connection},
    }
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # after a fail-over the pool's old ones are thrown away
    DATABASES["default"].setdefault("OPTIONS", {}).update(pool=_pool, connect_timeout=3)

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)},
        }
        if REDIS_URL
        else {"BACKEND": "diskcache.DjangoCache", "LOCATION": str(DATA_DIR / "cache")}
    )
}

# A bucket's name moves uploads and results to S3; its keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
S3_BUCKET = env.str("S3_BUCKET", default="")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="")


def _object_storage(prefix: str) -> dict[str, object]:
    if not S3_BUCKET:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": DATA_DIR / prefix, "base_url": None, "file_permissions_mode": 0o600},
        }
    from botocore.config import Config  # half a second to import

    return {
        "BACKEND": "config.object_storage.SharedS3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "location": prefix,
            "default_acl": None,
            "file_overwrite": False,
            # What is read spills from memory to a temporary file past this size.
            "max_memory_size": 1 << 20,
            # A bucket that hangs fails within seconds: botocore would wait 60 of them, five times over.
            "client_config": Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2}),
        },
    }


STORAGES = {
    "default": _object_storage("files"),
    "uploads": _object_storage("uploads"),
    "results": _object_storage("results"),
    "marks": _object_storage("marks"),
    "staticfiles": {"BACKEND": "config.static.HashedModules"},
}

# A picture is judged in memory (10 MB at most); nothing of a v1 call touches a disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20  # of forms; what the API takes is said by max_body_bytes of its views

# --- the API ---------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # Who may call and how often is said by accounts.metering.MeteredAPIView, which every view of ours is.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.schema.Operation",
    "EXCEPTION_HANDLER": "config.exceptions.api_exception_handler",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Object remover and IOPaint REST API",
    "DESCRIPTION": "Removes watermarks and unwanted objects from pictures with LaMa.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.schema.with_components",
    ],
    "ENUM_NAME_OVERRIDES": {
        "BatchStatus": ["queued", "running", "succeeded", "failed", "cancelled"],
        "HealthStatus": ["healthy", "unhealthy"],
        "MarkKind": ["mask", "logo"],
        "Metadata": ["strip", "keep"],
        "Target": ["watermark", "text"],
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

API_TOKEN = env.str("API_TOKEN", default="")
# Calls without a key, per client address (django-ratelimit's notation).
PUBLIC_RATE = env.str("PUBLIC_RATE", default="60/m")
# What such calls may have stored, uploads and results, per client address and day.
PUBLIC_MEGABYTES = env.int("PUBLIC_MEGABYTES", default=500)
# Pictures that the editor cleans for visitors without an account, per client address and day; 0: it asks to sign in.
PUBLIC_PICTURES = env.int("PUBLIC_PICTURES", default=10)
# The longest side of such pictures, in pixels; the editor scales larger ones down.
PUBLIC_SIDE = env.int("PUBLIC_SIDE", default=2048)
# Forms of the site, per client address.
FORM_RATE = env.str("FORM_RATE", default="60/m")
RATELIMIT_USE_CACHE = "default"

MAX_FILE_BYTES = 10 << 20
MAX_SIDE = 4096
# What may be fetched from though it is not on the public internet, by any port, such as 10.0.0.0/8.
FETCH_ALLOWED_NETWORKS = [ip_network(network) for network in env.list("FETCH_ALLOWED_NETWORKS", default=[])]

UPLOAD_TTL = env.int("UPLOAD_TTL", default=24 * 3600)
RESULT_TTL = env.int("RESULT_TTL", default=24 * 3600)
# How long a unit of quota stays reserved for a request whose process has died. Longer than any request takes.
RESERVATION_TTL = env.int("RESERVATION_TTL", default=300)

# Pictures a batch, and bytes of a request that sends one, whatever the account's plan allows.
MAX_BATCH_SIZE = env.int("MAX_BATCH_SIZE", default=1000)
# Of one account, whatever its plan.
MAX_SAVED_MARKS = env.int("MAX_SAVED_MARKS", default=100)
MAX_SAVED_MARK_BYTES = env.int("MAX_SAVED_MARK_BYTES", default=50 << 20)
MAX_BATCH_BYTES = env.int("MAX_BATCH_BYTES", default=2 << 30)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2 * MAX_BATCH_SIZE + 10  # an address each
DATA_UPLOAD_MAX_NUMBER_FILES = 2 * MAX_BATCH_SIZE + 10
# Seconds after which a batch's picture goes to another worker if its own has died; a live one renews it.
ITEM_LEASE = env.int("ITEM_LEASE", default=60)
# amqp:// (RabbitMQ), redis:// or sqs://: workers are woken through it. Empty: the web process works by itself.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2

# --- billing ---------------------------------------------------------------------------------------------------------

# Both, and plans are paid through Stripe; neither, and staff approve them in the admin.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
# Another address than Stripe's own is for tests.
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com")

# --- the engine ------------------------------------------------------------------------------------------------------

# auto: big-lama if its file is there, else the embedded default. Or lama, hybrid, migan, patchmatch, sd, sdxl.
INPAINT_MODEL = env.str("INPAINT_MODEL", default="auto")
# big-lama, a path to a checkpoint, or empty: whichever is there.
LAMA_WEIGHTS = env.str("LAMA_WEIGHTS", default="")
WEIGHTS_DIR = Path(env.str("WEIGHTS_DIR", default=str(DATA_DIR / "weights")))
# A file with MI-GAN's weights; empty: what manage.py fetch_weights migan fetched.
MIGAN_WEIGHTS = env.str("MIGAN_WEIGHTS", default="")
# Folders as diffusers keeps them; empty: the models sd and sdxl are not there.
SD_WEIGHTS = env.str("SD_WEIGHTS", default="")
SDXL_WEIGHTS = env.str("SDXL_WEIGHTS", default="")
# Where big-lama is fetched from instead of its official address; size and digest stay the official ones.
BIG_LAMA_URL = env.str("BIG_LAMA_URL", default="")
# auto: half precision where the hardware computes in it and the result agrees; or fp32, fp16, bf16.
PRECISION = env.str("PRECISION", default="auto")
if PRECISION not in ("auto", "fp32", "fp16", "bf16"):
    raise ImproperlyConfigured(f"PRECISION is {PRECISION!r}; it can be auto, fp32, fp16 or bf16.")
# Requests that may wait for the engine, and how many seconds; past either a request is answered 503 busy.
ENGINE_QUEUE = env.int("ENGINE_QUEUE", default=16)
ENGINE_WAIT = env.float("ENGINE_WAIT", default=60.0)
# Requests of one account, or of one address without an account, that may run and wait at once.
ENGINE_CONCURRENCY = env.int("ENGINE_CONCURRENCY", default=max(1, ENGINE_QUEUE // 2))
# Megabytes that loaded models may take together; 0: half of the machine's memory. Past it, what was used longest ago is
# unloaded.
MODEL_MEMORY = env.float("MODEL_MEMORY", default=0.0)
# Megabytes that the pictures of all requests may take together, by an estimate; 0: a quarter of the machine's memory.
REQUEST_MEMORY = env.float("REQUEST_MEMORY", default=0.0)

# --- seen from outside -----------------------------------------------------------------------------------------------

# Where Prometheus asks: a port of its own, for whoever reaches it; or /metrics with a token. Neither: nowhere.
METRICS_PORT = env.int("METRICS_PORT", default=0)
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Seconds from which a request is logged as slow, with where its time went; 0: none is.
SLOW_REQUEST_SECONDS = env.float("SLOW_REQUEST_SECONDS", default=0.0)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.formatter"}},
    "filters": {"request": {"()": "config.logs.OfRequest"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "loggers": {
        "stripe": {"level": "WARNING"},  # it tells every call at INFO, with the customer's id
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # anybody could fill the log with its tracebacks
        "urllib3.connection": {"level": "ERROR"},  # it warns of bad headers with the whole address, query and all
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
