"""What tests of the screens do as a person without a browser: log in, upload, check, press a button."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from imports.engine import driver
from imports.jobs import queue
from imports.models import ImportJob
from imports.states import Status

PEOPLE = b"email,first_name,plan\nann@x.co,Ann,gold\nben@x.co,Ben,silver\nnot an address,Cy,gold\n"
UPLOAD = "admin:imports_importjob_add"


def log_in(*roles: str, name: str = "", is_staff: bool = True) -> Client:
    """A browser of somebody with these roles; staff without a role when there is none."""
    user = get_user_model().objects.create_user(name or "-".join(roles) or "nobody", is_staff=is_staff)
    user.groups.set(Group.objects.filter(name__in=roles))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(client: Client, content: bytes = PEOPLE, name: str = "people.csv", **values: str):
    sent = {"file": SimpleUploadedFile(name, content), "name": "", "preset": "standard", "record_type": "profiles"}
    return client.post(reverse(UPLOAD), sent | values)


def address(name: str, job: ImportJob) -> str:
    return reverse(f"admin:imports_importjob_{name}", args=[job.pk])


def check(client: Client, job: ImportJob, identifier: str = "email", action: str = "update", **values: str):
    return client.post(
        address("configure", job), {"identifier": identifier, "action": action, "check": "1", **values}, follow=True
    )


def press(client: Client, job: ImportJob, transition: str, **values: str):
    page = client.get(address("change", job))
    return client.post(
        address("transition", job), {"transition": transition, "seen": page.context["seen"], **values}, follow=True
    )


def finish(job: ImportJob) -> None:
    with queue.run_inline():
        driver.run_until_idle(job)


def ready(client: Client, content: bytes = PEOPLE, **choices: str) -> ImportJob:
    """A job whose preview stands."""
    upload(client, content)
    job = ImportJob.objects.latest("pk")
    check(client, job, **choices)
    job.refresh_from_db()
    assert job.status == Status.READY
    return job


def imported(client: Client, content: bytes = PEOPLE, **choices: str) -> ImportJob:
    """A job that somebody has started and the engine has ended."""
    job = ready(client, content, **choices)
    press(client, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    return job
