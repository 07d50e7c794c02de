"""Settings. What differs between installations comes from the environment; docs/settings.md lists the variables.

Without DATABASE_URL the project runs on one machine with its own database: a demo, or a small team behind one door.
With DATABASE_URL it is a production site: HTTPS, and a secret key that the operator chose.
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
env.read_env(BASE_DIR / ".env")  # what the environment already says wins


def env_choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return the environment variable `name`; refuse a value that is not one of `allowed`."""
    value: str = env.str(name, default=default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is '{value}'. Set it to one of: {', '.join(allowed)}.")
    return value


def env_integer(name: str, default: int, least: int = 1) -> int:
    """Return the environment variable `name` as a number; refuse what is none, or is below `least`."""
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


# --- where things are ---------------------------------------------------------------------------

DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / ".data").expanduser().resolve()
EMBEDDED = not env.str("DATABASE_URL", default="")
EMBEDDED_DIR = DATA_DIR / "postgres"
DEBUG = env.bool("DEBUG", default=False)


def external_database() -> dict[str, Any]:
    """Return the database of DATABASE_URL; refuse any but PostgreSQL, whose SQL the project speaks."""
    database: dict[str, Any] = env.db("DATABASE_URL")
    if database["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(
            f"DATABASE_URL names a database of the kind {database['ENGINE'].rsplit('.', 1)[-1]}. This project works "
            "with PostgreSQL 15 or newer only: postgres://user:password@host:5432/name. Without it, one is started."
        )
    return database


DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **(embedded.get_address(EMBEDDED_DIR).settings() if EMBEDDED else external_database()),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # they outlive a transaction, which PgBouncer does not allow
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The database or Redis, never the memory of one process: web and workers must see the same.
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

# --- safety -------------------------------------------------------------------------------------

SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY and EMBEDDED:
    SECRET_KEY = load_or_create_secret(DATA_DIR / "secret_key")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is missing. With DATABASE_URL this is a production site, which needs a secret of its own, the same "
        "on all its hosts. Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(64))' "
        "and set it in the environment as SECRET_KEY."
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
    "DIRECTIVES": {  # no inline script or style, nothing from elsewhere
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
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger cannot lock a colleague out from elsewhere
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # it would record every login for ever
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
FILE_UPLOAD_PERMISSIONS = 0o600  # people's data: for the user who runs the site, nobody else
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

# EMAIL_URL such as smtp+tls://user:password@mail.example.com:587; without it, mails are printed by the worker.
# EMAIL_BACKEND, EMAIL_HOST and whatever else follows from it are settings of Django.
try:
    globals().update(env.email("EMAIL_URL", default="consolemail://"))
except ImproperlyConfigured as error:
    raise ImproperlyConfigured(
        "EMAIL_URL names no mail server. Set it to one, such as smtp+tls://user:password@mail.example.com:587, or "
        "leave it out; then mails are printed by the worker."
    ) from error
EMAIL_TIMEOUT = 20  # seconds; a worker does not wait for a mail server that is silent
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="People <people@localhost>")


def site_url() -> str:
    """Return what the links in mails begin with: IMPORTS_SITE_URL, or what the site is probably called."""
    given: str = env.str("IMPORTS_SITE_URL", default="").rstrip("/")
    if given and not given.startswith(("http://", "https://")):
        raise ImproperlyConfigured(
            f"IMPORTS_SITE_URL is '{given}'. Set it to where people open the site, such as https://people.example.com"
        )
    if given or EMBEDDED:
        return given or f"http://localhost:{env.str('PORT', default='8000')}"
    named = [host for host in ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return f"http{'s' if HTTPS else ''}://{named[0]}" if named else ""


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

# A unit of work ends before its lease does, so that no two workers do the same work at once. A task begins no unit
# after IMPORTS_TASK_SECONDS, and what it has begun then gets half of its time at least.
TIMEOUT = max(1, IMPORTS_LEASE_SECONDS - 10)
IMPORTS_TASK_SECONDS = min(env_integer("IMPORTS_TASK_SECONDS", 20), max(1, TIMEOUT // 2))

Q_CLUSTER: dict[str, Any] = {
    "name": "imports",
    "label": "Queue",
    "workers": IMPORTS_WORKERS,
    "timeout": TIMEOUT,
    # Far above the time a task runs and waits in the cluster's memory: a task that is slow must not run beside itself.
    # Work that was really lost comes back much sooner, by its lease.
    "retry": max(3_600, 20 * TIMEOUT),
    "queue_limit": IMPORTS_WORKERS,  # what a cluster has taken, no other host can take
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
        "gunicorn.http.wsgi": {"level": "ERROR"},  # it warns of every HEAD request, which Django answers with a body
        "axes": {"level": "CRITICAL"},  # its lines name users and addresses; its tables hold the same
    },
}
