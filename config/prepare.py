"""What a database and a machine need before the site runs on them."""

from django.core.management import call_command
from django.db import connection


def is_empty() -> bool:
    """Tell whether the database has never been migrated."""
    return "django_migrations" not in connection.introspection.table_names()


def migrate() -> None:
    """Bring the tables up to date, the cache's too."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def collect_static() -> None:
    """Gather the pages' styles, scripts and pictures where the web server takes them from."""
    call_command("collectstatic", interactive=False, verbosity=0)
