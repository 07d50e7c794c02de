"""Settings. What differs between installations comes from the environment; docs/settings.md lists the variables.

Without DATABASE_URL the project runs on one machine with its own database: as a demo, or for a small team on a private
network. With DATABASE_URL it is a production site: with HTTPS, and a secret key that the operator has chosen.
"""

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import embedded
from config.secret import load_or_create_secret

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")  # variables of the environment take precedence


def env_choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return the environment variable `name`. Raise ImproperlyConfigured for a value that is not one of `allowed`."""
    value: str = env.str(name, default=default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is '{value}'. Set it to one of: {', '.join(allowed)}.")
    return value


def env_integer(name: str, default: int, least: int = 1) -> int:
    """Return the environment variable `name` as a whole number of at least `least`, or raise ImproperlyConfigured."""
    text: str = env.str(name, default=str(default)).strip()
    if not text.isdecimal() or int(text) < least:
        raise ImproperlyConfigured(f"{name} is '{text}'. Set it to a whole number of at least {least}.")
    return int(text)


def require_extra(name: str, module: str, extra: str) -> None:
    """Refuse the environment variable `name` where the packages of the extra that it needs are not installed."""
    if find_spec(module) is None:
        raise ImproperlyConfigured(
            f"{name} needs packages that are not installed. Install them: pip install '.[{extra}]', "
            "or all of the project's: pip install -r requirements.txt."
        )


# --- folders and database -----------------------------------------------------------------------

DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / ".data").expanduser().resolve()
EMBEDDED = not env.str("DATABASE_URL", default="")
EMBEDDED_DIR = DATA_DIR / "postgres"
DEBUG = env.bool("DEBUG", default=False)


def external_database() -> dict[str, Any]:
    """Return the database of DATABASE_URL. Raise ImproperlyConfigured unless it is PostgreSQL, whose SQL is used."""
    database: dict[str, Any] = env.db("DATABASE_URL")
    if database["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(
            f"DATABASE_URL names a database of the type {database['ENGINE'].rsplit('.', 1)[-1]}. Use PostgreSQL 15 or "
            "newer: postgres://user:password@host:5432/name. Without DATABASE_URL, an embedded one is started."
        )
    return database


DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **(embedded.get_address(EMBEDDED_DIR).settings() if EMBEDDED else external_database()),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # such cursors outlive a transaction, which PgBouncer does not allow
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# In the database or Redis, never in the memory of a process: web and workers must share the cache.
REDIS_URL: str = env.str("REDIS_URL", default="")
if REDIS_URL:
    require_extra("REDIS_URL", "redis", "redis")
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
    )
}

# --- security -----------------------------------------------------------------------------------

SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY and EMBEDDED:
    SECRET_KEY = load_or_create_secret(DATA_DIR / "secret_key")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is missing. With DATABASE_URL this is a production site, which needs its own secret key, the same "
        "on all its hosts. Create one with: python3 -c 'import secrets; print(secrets.token_urlsafe(64))' "
        "and set it as SECRET_KEY in the environment."
    )

HTTPS = env.bool("HTTPS", default=not EMBEDDED and not DEBUG)
PROXY_COUNT = env_integer("PROXY_COUNT", 0, least=0)
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if EMBEDDED or DEBUG else []
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=HTTPS)
SECURE_HSTS_SECONDS = env_integer("HSTS_SECONDS", 31_536_000 if HTTPS else 0, least=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXY_COUNT else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {  # no inline scripts or styles, nothing from other origins
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:"],
    }
}

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # an attacker at another address cannot lock a user out
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # otherwise every login is recorded for ever
AXES_LOCKOUT_TEMPLATE = "lockout.html"
AXES_CLIENT_IP_CALLABLE = "config.network.client_ip"

# --- the site -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "profiles",
    "imports",
    "config.apps.SiteConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_q",
    "django_htmx",
    "import_export",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.HtmxFullPageMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
LOGIN_URL = "admin:login"

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
    },
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- files --------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_ROOT = DATA_DIR / "files"
FILE_UPLOAD_PERMISSIONS = 0o600  # personal data: only for the system user that runs the site
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # the mapping page of a file with 1,000 columns

S3_BUCKET: str = env.str("IMPORTS_S3_BUCKET", default="")
if S3_BUCKET:
    require_extra("IMPORTS_S3_BUCKET", "boto3", "s3")
STORAGES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {  # keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from the machine's role
                "bucket_name": S3_BUCKET,
                "location": env.str("IMPORTS_S3_PREFIX", default=""),
                "region_name": env.str("IMPORTS_S3_REGION", default=None),
                "endpoint_url": env.str("IMPORTS_S3_ENDPOINT", default=None),
                "file_overwrite": False,
                "default_acl": None,
            },
        }
        if S3_BUCKET
        else {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    ),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- e-mail -------------------------------------------------------------------------------------

# EMAIL_URL such as smtp+tls://user:password@mail.example.com:587; without it, the worker prints e-mails.
# It sets EMAIL_BACKEND, EMAIL_HOST and other settings of Django.
try:
    globals().update(env.email("EMAIL_URL", default="consolemail://"))
except ImproperlyConfigured as error:
    raise ImproperlyConfigured(
        "EMAIL_URL is not the URL of a mail server. Set it to one, such as "
        "smtp+tls://user:password@mail.example.com:587, or remove it; then the worker prints e-mails."
    ) from error
EMAIL_TIMEOUT = 20  # seconds after which a worker stops waiting for a mail server
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="People <people@localhost>")


def site_url() -> str:
    """Return the start of the links in e-mails: IMPORTS_SITE_URL, or the probable URL of the site."""
    url: str = env.str("IMPORTS_SITE_URL", default="").rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise ImproperlyConfigured(
            f"IMPORTS_SITE_URL is '{url}'. Set it to the address of the site, such as https://people.example.com."
        )
    if url or EMBEDDED:
        return url or f"http://localhost:{env.str('PORT', default='8000')}"
    hosts = [host for host in ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return f"http{'s' if HTTPS else ''}://{hosts[0]}" if hosts else ""


IMPORTS_SITE_URL = site_url()

# --- imports ------------------------------------------------------------------------------------

IMPORTS_APPROVAL = env_choice("IMPORTS_APPROVAL", "creators", ("creators", "always", "never"))
IMPORTS_DEFAULT_COUNTRY: str = env.str("IMPORTS_DEFAULT_COUNTRY", default="").upper()
IMPORTS_TIME_ZONE: str = env.str("IMPORTS_TIME_ZONE", default="UTC")
IMPORTS_MAX_MB = env_integer("IMPORTS_MAX_MB", 500)
IMPORTS_BUCKET_ROWS = env_integer("IMPORTS_BUCKET_ROWS", 20_000)
IMPORTS_MAX_IDENTIFIER_VALUES = env_integer("IMPORTS_MAX_IDENTIFIER_VALUES", 10)
IMPORTS_LEASE_SECONDS = env_integer("IMPORTS_LEASE_SECONDS", 120, least=2)
IMPORTS_FILTER_SECONDS = env_integer("IMPORTS_FILTER_SECONDS", 5)
IMPORTS_SWEEP_SECONDS = env_integer("IMPORTS_SWEEP_SECONDS", 10)
IMPORTS_WORKERS = env_integer("IMPORTS_WORKERS", max(2, os.cpu_count() or 2))

# --- the queue ----------------------------------------------------------------------------------

# A work unit ends before its lease, so that no two workers do it at the same time. A task begins no unit after
# IMPORTS_TASK_SECONDS, so a unit that it has begun by then has at least half of the task's time.
TIMEOUT = max(1, IMPORTS_LEASE_SECONDS - 10)
IMPORTS_TASK_SECONDS = min(env_integer("IMPORTS_TASK_SECONDS", 20), max(1, TIMEOUT // 2))

Q_CLUSTER: dict[str, Any] = {
    "name": "imports",
    "label": "Queue",
    "workers": IMPORTS_WORKERS,
    "timeout": TIMEOUT,
    # Far above the time that a task waits in the cluster's memory and runs: a slow task must not be started twice.
    # Work that was really lost is resumed much earlier, when its lease ends.
    "retry": max(3_600, 20 * TIMEOUT),
    "queue_limit": IMPORTS_WORKERS,  # tasks that a cluster has fetched are not available to other hosts
    "bulk": 1,
    "poll": 0.1,
    "ack_failures": True,
    "max_attempts": 3,
    "save_limit": 100,
    "catch_up": False,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --- logs: to the console, without personal data ------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.ValueFreeFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
    },
    "filters": {"without_result": {"()": "config.logs.TaskResultFilter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_result"]},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "imports": {"level": "INFO"},
        "profiles": {"level": "INFO"},
        "gunicorn.http.wsgi": {"level": "ERROR"},  # it warns about every HEAD request, which Django answers with a body
        "axes": {"level": "CRITICAL"},  # its lines contain user names and IP addresses; its tables have the same data
    },
}
