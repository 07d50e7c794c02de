"""A database without people and jobs, for tests that begin anew within one test."""

from __future__ import annotations

from django.db import connection

EMPTIED = (
    "profiles_identifier",
    "profiles_change",
    "profiles_event",
    "profiles_writemark",
    "profiles_suppression",
    "profiles_subscriptiongroup",
    "imports_rowerror",
    "imports_bucket",
    "imports_importcolumn",
    "imports_jobtransition",
    "imports_importjob",
    "profiles_changeset",
    "profiles_profile",
    "django_q_ormq",
    "django_q_task",
)


def empty() -> None:
    """No people, no jobs, nothing queued. To delete a handful of rows takes a tenth of the time of TRUNCATE."""
    with connection.cursor() as cursor:
        cursor.execute(";".join(f"DELETE FROM {table}" for table in EMPTIED))
