"""Fill an empty database at the first `make run`: three accounts, and 1,000 sample people to import."""

import io
import os
import secrets
import shlex

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import transaction

from imports.models import ImportJob
from profiles.models import Profile

ACCOUNTS = {"admin": "Admin", "creator": "Creator", "approver": "Approver"}
SAMPLE_ROWS = 1_000


@transaction.atomic
def create_accounts() -> str | None:
    """Create an account for each role if there is no account yet. Return a line to print about them, or None.

    The password is DEMO_PASSWORD, or a random one that is printed only this once.
    """
    users = get_user_model().objects
    if users.exists():
        return None
    chosen = os.environ.get("DEMO_PASSWORD", "")
    password = chosen or secrets.token_urlsafe(9)
    for name, role in ACCOUNTS.items():
        user = users.create_user(name, password=password, is_staff=True, is_superuser=name == "admin")
        user.groups.add(Group.objects.get(name=role))
    shown = "the one in DEMO_PASSWORD" if chosen else f"{password}   (shown only this once)"
    return f"Log in as {', '.join(ACCOUNTS)}; the password of all three is {shown}"


def prepare_sample() -> str | None:
    """Write the sample file and return the command that imports it; return None if there are people or imports."""
    if Profile.objects.exists() or ImportJob.objects.exists():
        return None
    path = settings.DATA_DIR / "sample.csv"
    call_command("make_people", SAMPLE_ROWS, path, seed=1, stderr=io.StringIO())  # without the line about its speed
    options = "--identifier email --action update --name 'Sample people' --wait"
    return f"python manage.py import_profiles {shlex.quote(str(path))} {options}"
