"""The whole way of a golden scenario: a file, the command, the queue, the workers, the database."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from imports.models import ImportJob
from profiles.models import Identifier, Profile
from profiles.writing import edit

COUNTS = ("imported", "updated", "ignored", "failed")


class Way:
    """Imports files and reads back what came of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = "people.csv"

    def run(self, text: str | bytes, preset: str, identifier: str, action: str = "", *more: str) -> ImportJob:
        """Import a file and wait until the workers are done with it. Raises CommandError as the command does."""
        path = self.folder / self.file
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        options = ["--preset", preset, "--identifier", identifier, "--wait", *more]
        if action:
            options += ["--action", action]
        call_command("import_profiles", str(path), *options, stdout=io.StringIO(), stderr=io.StringIO())
        return ImportJob.objects.latest("id")

    def refused(self, text: str | bytes, preset: str, identifier: str, action: str = "", *more: str) -> str:
        """Why a file is refused. Nobody is written by it."""
        before = people()
        with pytest.raises(CommandError) as caught:
            self.run(text, preset, identifier, action, *more)
        assert people() == before
        return str(caught.value)


def counts(job: ImportJob) -> tuple[int, ...]:
    """Imported, updated, ignored, failed."""
    return tuple(getattr(job, name) for name in COUNTS)


def reasons(job: ImportJob) -> list[str]:
    """Why rows were not applied, or not wholly, in their order."""
    return list(job.problems.order_by("row", "id").values_list("reason", flat=True))


def person(kind: str, value: str) -> Profile:
    """The only person who holds a channel value in matching form, or an own field."""
    if kind in ("external_id", "object_id"):
        return Profile.objects.get(**{kind: value})
    return Profile.objects.get(pk=Identifier.objects.get(kind=kind, value=value).profile_id)


def people() -> list[dict[str, Any]]:
    """Everybody with all that is known about them, the oldest first."""
    return [dict(row) for row in Profile.objects.order_by("id").values()]


def known(**values: Any) -> Profile:
    """Somebody who is there before the file comes, as a person at a form would have made them."""
    return Profile.objects.get(pk=edit.create(values, None, shared=True))
