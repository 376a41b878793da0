"""Everything an installation can decide, read from the environment; one code path, two footings.

Embedded (nothing set): SQLite in the data folder and the collecting engine in the server's own process tree.
Scaled (DATABASE_URL, REDIS_URL): Postgres with pooling, Redis as broker, Celery workers.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from backends.hosts import BadAddress, read_allowed
from config import environment, sentry
from config.keys import check_ring, read_or_make
from config.visitors import networks

# Several processes share the cores; a report's small matrices are slower on many threads than on one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = environment.folder("BLINDPAIR_DATA", BASE_DIR / "var")
DATABASE_URL = environment.text("DATABASE_URL")
REDIS_URL = environment.redis_address("REDIS_URL")
SCALED = bool(DATABASE_URL)
if REDIS_URL and not SCALED:
    raise ImproperlyConfigured("REDIS_URL is set but DATABASE_URL is not: set both (scaled) or neither (embedded).")

BIND = environment.listening("BIND", "127.0.0.1:8000")
HEARTBEAT = environment.file("BLINDPAIR_HEARTBEAT")
WEB_CONCURRENCY = environment.count("WEB_CONCURRENCY", 2 if SCALED else 1)
WEB_THREADS = environment.count("WEB_THREADS", 16)
DATABASE_POOL = environment.count("DATABASE_POOL", 20)
SQLITE_PATIENCE = environment.seconds("SQLITE_PATIENCE", 20)
DEBUG = environment.switch("DEBUG", default=False)
SECRET_KEY = read_or_make("SECRET_KEY", DATA_DIR / "secret.key", scaled=SCALED)
ENCRYPTION_KEYS = read_or_make("BLINDPAIR_ENCRYPTION_KEYS", DATA_DIR / "encryption.keys", scaled=SCALED)
check_ring(ENCRYPTION_KEYS)

# `up` notes where it serves, so that commands beside it print links that lead there.
_noted = DATA_DIR / "address"
_address = _noted.read_text().strip() if _noted.is_file() else "http://127.0.0.1:8000"
_public = environment.web_address("PUBLIC_URL", _address)
PUBLIC_URL = _public.geturl()
HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = [*environment.host_names("ALLOWED_HOSTS"), "localhost", "127.0.0.1", "[::1]", str(_public.hostname)]
TRUSTED_PROXIES = environment.entries("TRUSTED_PROXIES")
networks(tuple(TRUSTED_PROXIES))  # nonsense ends the start
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []
ENDPOINT_HOSTS = environment.entries("BLINDPAIR_ENDPOINT_HOSTS")
try:
    read_allowed(ENDPOINT_HOSTS)
except BadAddress as _error:
    raise ImproperlyConfigured(str(_error)) from _error

INSTALLED_APPS = [
    "accounts",
    "experiments",
    "backends",
    "ratings",
    "reports",
    "console",
    "django_htmx",
    "config.apps.Admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "config.requests.Requests",
    "config.headers.SecurityHeaders",
    "config.visitors.Visitors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.origins.SameOrigin",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.signing_in.Sessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
            ],
        },
    }
]
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.discretion.Discreet"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"


def _embedded_database() -> dict[str, object]:
    return {
        "ENGINE": "config.sqlite",
        "NAME": DATA_DIR / "blindpair.sqlite3",
        "CONN_MAX_AGE": None,  # opening and closing the file with every request took a tenth of it
        "OPTIONS": {
            "timeout": SQLITE_PATIENCE,
            "transaction_mode": "IMMEDIATE",
            # FULL: an acknowledged judgment survives a power cut.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
        },
        # A file, not memory: tests meet the same locks and the same WAL as the product.
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }


def _scaled_database() -> dict[str, object]:
    database = environment.database("DATABASE_URL")
    database["ENGINE"] = "config.postgres"
    database["CONN_HEALTH_CHECKS"] = True
    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": DATABASE_POOL,
            "timeout": 4,
            "reconnect_timeout": 2,  # then it begins anew: waits that double would find a database late that is back
        },
        "connect_timeout": 4,
        "prepare_threshold": 5,  # of `config.prepared` alone: Django's own statements carry their values
    }
    return database


# A web process gives up on a server that says nothing; commands and workers may ask for what takes long.
DATABASE_SILENCE = environment.seconds("DATABASE_SILENCE", 0) or None
DATABASES = {"default": _scaled_database() if SCALED else _embedded_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the row is the truth; a message is only a doorbell
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # the rows are worked off without a broker, for as long as it is away
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1}
CELERY_TASK_PUBLISH_RETRY = False

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"  # `no-referrer` would make Django refuse plain forms
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = environment.switch("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = ["^healthz/?$", "^readyz/?$", "^metrics/?$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler", "config.uploads.NamelessUploads"]
FILE_UPLOAD_TEMP_DIR = str(DATA_DIR / "uploads")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "staticfiles"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other page needs them, or need find out what is served here
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

EMAIL_URL = environment.text("EMAIL_URL")
DEFAULT_FROM_EMAIL = environment.sender("EMAIL_FROM", f"blindpair@{_public.hostname}")
if _mail := environment.mail("EMAIL_URL"):
    globals().update(_mail)
    EMAIL_TIMEOUT = 10
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

LOG_FORMAT = environment.choice("LOG_FORMAT", "text", ("text", "json"))
LOG_LEVEL = environment.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "filters": {"brief": {"()": "config.logs.Brief"}, "without_tokens": {"()": "config.logs.WithoutTokens"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["brief", "without_tokens"]}
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # One line a call with the whole address would tell the log what the envelope hides.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # A line a request is for machines: a person at a terminal would not see the wood for the trees.
        "config.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
    },
}
METRICS_TOKEN = environment.token("METRICS_TOKEN")
SENTRY_DSN = environment.text("SENTRY_DSN")
if SENTRY_DSN:
    sentry.start(SENTRY_DSN)
os.environ.setdefault("PYTHONUTF8", "1")
