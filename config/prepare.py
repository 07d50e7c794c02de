"""Prepare a database and a machine for the site."""

from django.core.management import call_command
from django.db import connection


def is_empty() -> bool:
    """Return whether the database has never been migrated."""
    return "django_migrations" not in connection.introspection.table_names()


def migrate() -> None:
    """Migrate the database, and create the table of the cache."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def collect_static() -> None:
    """Collect the static files of the pages in the folder that the web server serves."""
    call_command("collectstatic", interactive=False, verbosity=0)
