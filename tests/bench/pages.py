"""How long the admin's pages take over everything that the benchmark has imported, with many jobs beside it.

In a process of its own (`python -m tests.bench.pages`): the time is that of Django's answer, from the request to the
last byte, without network and browser; of each page the median of several.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tests.bench import processes
from tests.bench.kinds import BenchError
from tests.bench.people import People
from tests.bench.server import ROOT, Database

JOBS = 200
TIMES = 7


@dataclass(frozen=True, slots=True)
class PageRun:
    """One page: milliseconds, and queries to the database."""

    milliseconds: float
    queries: int


def run(database: Database, people: People) -> dict[str, PageRun]:
    """Check the file once more, so that a preview stands, and ask for the pages. Raises ``BenchError``."""
    _check(database, people)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.pages"],
        cwd=ROOT,
        env=database.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError("A page of the admin failed.")
    return {name: PageRun(**figures) for name, figures in json.loads(done.stdout).items()}


def _check(database: Database, people: People) -> None:
    output = database.folder / "check.log"
    arguments = ["import_profiles", str(people.path), "--identifier", "email", "--action", "overwrite", "--dry-run"]
    with processes.workers(database), processes.manage(database, [*arguments, "--wait"], output) as command:
        if command.wait():
            raise BenchError(f"import_profiles --dry-run failed:\n{processes.last_words(output)}")
    database.settle()


def main() -> dict[str, PageRun]:
    """Ask for every page in this process."""
    import django

    django.setup()

    from django.db import connection
    from django.test.utils import CaptureQueriesContext, setup_test_environment

    setup_test_environment()
    client, found = _client(), {}
    for name, address in _addresses():
        with CaptureQueriesContext(connection) as queries:
            _get(client, address)
        count = len(queries)  # now: the next request empties the log
        seconds = [_get(client, address) for _ in range(TIMES)]
        found[name] = PageRun(round(1000 * median(seconds), 1), count)
    return found


def _client() -> Any:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.test import Client

    user = get_user_model().objects.create_user("bench", is_staff=True)
    user.groups.set(Group.objects.filter(name="Admin"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _get(client: Any, address: str) -> float:
    began = time.perf_counter()
    response = client.get(address)
    if response.status_code != 200:
        raise BenchError(f"{address} answered {response.status_code}.")
    return time.perf_counter() - began


def _addresses() -> Iterator[tuple[str, str]]:
    """Each page by name, over the job that waits to be started, one that is completed, and somebody in the middle."""
    from django.urls import reverse

    from imports.models import ImportJob
    from imports.states import Status
    from profiles.models import Profile

    ready = ImportJob.objects.get(status=Status.READY)
    done = ImportJob.objects.filter(status=Status.COMPLETED).latest("pk")
    _many_jobs(done)
    someone = Profile.objects.order_by("pk")[Profile.objects.count() // 2]
    jobs, people = reverse("admin:imports_importjob_changelist"), reverse("admin:profiles_profile_changelist")
    preview = reverse("admin:imports_importjob_change", args=[ready.pk])
    yield "list of imports", jobs
    yield "preview, first rows", preview
    yield "preview, changed rows", f"{preview}?show=updated"
    yield "preview, changed rows from the middle", f"{preview}?show=updated&after={ready.total // 2}"
    yield "preview, a row by its number", f"{preview}?find={ready.total // 2}"
    yield "preview, a row by its identifier", f"{preview}?find={someone.attributes['email'][0]}"
    yield "preview, problems", f"{preview}?show=problems"
    yield "page of a completed import", reverse("admin:imports_importjob_change", args=[done.pk])
    yield "settings of an import", reverse("admin:imports_importjob_configure", args=[ready.pk])
    yield "list of people", people
    yield "people by e-mail", f"{people}?q={someone.attributes['email'][0]}"
    yield "people of an import", f"{people}?import={done.pk}"
    yield "page of a person", reverse("admin:profiles_profile_change", args=[someone.pk])


def _many_jobs(template: Any) -> None:
    from imports.models import ImportJob

    more = JOBS - ImportJob.objects.count()
    template.change_set = None
    copies = []
    for number in range(more):
        copy = ImportJob(**{f.attname: getattr(template, f.attname) for f in ImportJob._meta.concrete_fields})
        copy.pk, copy.name = None, f"{template.name} {number}"
        copies.append(copy)
    ImportJob.objects.bulk_create(copies)


if __name__ == "__main__":
    assert "DATABASE_URL" in os.environ, "python -m tests.bench starts this, with a database of its own"
    print(json.dumps({name: asdict(figures) for name, figures in main().items()}))
