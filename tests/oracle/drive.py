"""Puts people into the database, runs an import over as many connections as asked, and reads back what came of it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar
from unittest.mock import patch

from django.core.files.base import ContentFile
from django.db import connection
from django.db.models.expressions import RawSQL
from django.test import override_settings
from django.utils import timezone

from imports.drafts import configure, scan
from imports.engine import driver, plan
from imports.jobs import leases, lifecycle, queue
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob
from imports.states import Step
from profiles.models import Attribute, ChangeSet, Identifier, Profile, WriteMark
from tests.emptied import empty
from tests.oracle.cases import COLUMNS, NEW, SCHEMA, Case
from tests.oracle.reference import Person, identifiers

T = TypeVar("T")

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DEADLINE = 120
"""Seconds after which a job that does not come to an end is a failure."""


def reset(case: Case) -> None:
    """The schema of a case, and nobody in it."""
    empty()
    Attribute.objects.filter(key=NEW).delete()
    Attribute.objects.filter(key="first_name").update(mandatory=case.mandatory)


def moment(seconds: int) -> datetime:
    """The dates of starting people, as seconds since long ago."""
    return LONG_AGO + timedelta(seconds=seconds)


def store_people(people: Sequence[Person]) -> dict[int, Person]:
    """Write people and the index of their identifiers as they are, past the engine. Returns them by primary key."""
    stored = Profile.objects.bulk_create(
        Profile(
            object_id=person.object_id,
            external_id=person.external_id,
            alias_label=person.alias[0] if person.alias else None,
            alias_name=person.alias[1] if person.alias else None,
            attributes=person.attributes,
            created=LONG_AGO,
            updated=moment(person.updated),
        )
        for person in people
    )
    Identifier.objects.bulk_create(
        Identifier(kind=kind, value=value, profile=profile)
        for profile, person in zip(stored, people, strict=True)
        for kind, value in identifiers(person, SCHEMA)
    )
    return {profile.pk: person for profile, person in zip(stored, people, strict=True)}


@contextmanager
def options(case: Case) -> Iterator[None]:
    """The settings of a case; each way of reading a file and of looking for shared people takes its turn."""
    with (
        override_settings(IMPORTS_BUCKET_ROWS=case.bucket_rows, IMPORTS_MAX_IDENTIFIER_VALUES=case.most_values),
        patch.object(plan, "FULL_SCAN_RATIO", 1_000.0 * (case.salt % 2)),
        patch.object(scan, "PART_BYTES", (20, 60, scan.PART_BYTES)[case.salt % 3]),
    ):
        yield


def upload(case: Case) -> ImportJob:
    """A job over the file of a case, read and ready to be mapped."""
    job = ImportJob(
        name="oracle",
        file_name="oracle.csv",
        source="command",
        format={"chosen_encoding": "utf-8", "chosen_delimiter": ","},
        record_type=case.record_type,
        identifier=case.identifier,
        action=case.action,
        options={"alias_with_external_id": True}
        | ({"on_invalid_value": "drop_value"} if case.drop_bad_values else {})
        | ({"exact_states": True} if case.exact_states else {}),
    )
    job.file.save("oracle.csv", ContentFile(case.text().encode()), save=False)
    with queue.run_inline():
        lifecycle.upload(job, Actor.command())
        driver.run_until_idle(job)
        assert job.status == "draft", job.reason
        ImportJob.objects.filter(pk=job.pk).update(salt=case.salt)
        job.refresh_from_db()
        configure.map_columns(job, {header: COLUMNS[header] for header in case.headers})
    return job


def check(job: ImportJob, case: Case, crew: "Workers") -> None:
    """Check the file and work out the preview."""
    with crew.called():
        configure.check(job, Actor.command())
        crew.work(job, case.hands)
    assert job.status == "ready", job.reason


def apply(job: ImportJob, case: Case, crew: "Workers") -> None:
    """Let the job run to its end."""
    with crew.called():
        lifecycle.transition(job, Transition.START, Actor.command())
        crew.work(job, case.hands)
    assert job.status == "completed", job.reason


def disturb() -> None:
    """Leave the mark of somebody who wrote people."""
    change_set = ChangeSet.objects.create(kind=ChangeSet.Kind.PERSON, when=timezone.now())
    WriteMark.objects.create(
        change_set=change_set, transaction=RawSQL("pg_current_xact_id()::text::bigint", []), people=1
    )


def checksums() -> dict[str, str]:
    """What the tables that are not an import's own hold."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith("profiles_")]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', coalesce(md5(string_agg(t::text, ';' ORDER BY t::text)), '') FROM {table} t"
                for table in tables
            )
        )
        return dict(cursor.fetchall())


class Workers(Protocol):
    """Whoever does the work."""

    def called(self) -> AbstractContextManager[None]:
        """While this lasts, how work is handed to them."""

    def work(self, job: ImportJob, hands: int) -> None:
        """Carry the job as far as it goes."""


class Crew:
    """Threads, each with a connection of its own, that work on jobs at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool = ThreadPoolExecutor(most)

    def called(self) -> AbstractContextManager[None]:
        return queue.run_inline()

    def work(self, job: ImportJob, hands: int) -> None:
        if hands == 1:
            driver.run_until_idle(job)
            return
        start = threading.Barrier(hands)
        self.together([partial(_work, job.pk, start)] * hands)
        job.refresh_from_db()

    def together(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Do several things at once; what each of them returned."""
        return [done.result() for done in [self._pool.submit(task) for task in tasks]]

    def close(self) -> None:
        """Let go of every thread's connection."""
        barrier = threading.Barrier(self._most)
        self.together([partial(_close, barrier)] * self._most)
        self._pool.shutdown()


class Queue:
    """The real queue, on which somebody else has put workers."""

    def called(self) -> AbstractContextManager[None]:
        return nullcontext()

    def work(self, job: ImportJob, hands: int) -> None:
        _until_idle(job.pk, lambda: False)
        job.refresh_from_db()


def _work(job_id: int, start: threading.Barrier) -> None:
    start.wait()
    with queue.run_inline():
        _until_idle(job_id, lambda: driver.run_units(job_id, DEADLINE))


def _until_idle(job_id: int, work: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE
    while work() or _is_at_work(job_id):
        assert time.monotonic() < until, "the job does not come to an end"
        time.sleep(0.005)  # somebody else has the only unit that can be done now


def _is_at_work(job_id: int) -> bool:
    return ImportJob.objects.filter(pk=job_id, status__in=leases.ACTIVE_STATUSES).exclude(step=Step.IDLE).exists()


def _close(barrier: threading.Barrier) -> None:
    barrier.wait()
    connection.close()
