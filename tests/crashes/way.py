"""Takes a job along its way, and reads back all that came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from imports.drafts import configure
from imports.engine import driver
from imports.jobs import lifecycle, queue
from imports.jobs.transitions import Actor, Transition
from imports.models import Bucket, ImportJob, RowError
from imports.states import Step
from profiles.models import Attribute, Change, Identifier, Profile
from tests.crashes import people, settings
from tests.emptied import empty

MICROSECOND = timedelta(microseconds=1)
COUNTS = ("total", "imported", "updated", "ignored", "failed", "not_run", "unchanged", "people", "warnings")

ALL = -1
"""All units of a step, which is not yet ended."""


def begin() -> None:
    """The people who are there before, and nothing else."""
    empty()
    Attribute.objects.filter(built_in=False).delete()
    people.store_people()


@contextmanager
def options() -> Iterator[None]:
    """What the processes of the tests are set to, for what this process does itself."""
    names = ("IMPORTS_LEASE_SECONDS", "IMPORTS_SWEEP_SECONDS", "IMPORTS_BUCKET_ROWS")
    with override_settings(**{name: getattr(settings, name) for name in names}):
        yield


def uploaded(*, tied: bool = True) -> ImportJob:
    """A job whose file waits to be read; see ``people.text``."""
    return _upload(people.text(tied=tied))


def import_another() -> None:
    """Somebody else imports a few of the same people."""
    finish(_upload(people.OF_ANOTHER))


def submit(job: ImportJob) -> None:
    """Have a job that was read be checked."""
    job.refresh_from_db()
    assert job.status == "draft", job.reason
    headers = set(job.columns.values_list("header", flat=True))
    configure.map_columns(job, {header: target for header, target in people.TARGETS.items() if header in headers})
    configure.check(job, Actor.command())


def start(job: ImportJob) -> None:
    """Let a job that was checked begin."""
    job.refresh_from_db()
    assert job.status == "ready", job.reason
    lifecycle.transition(job, Transition.START, Actor.command())


def resume(job: ImportJob) -> None:
    job.refresh_from_db()
    lifecycle.transition(job, Transition.RESUME, Actor.command())


def go_on(job: ImportJob) -> bool:
    """Do what a person has to do next for the job; False if it waits for nobody."""
    job.refresh_from_db()
    if job.step != Step.IDLE or job.status not in ("draft", "ready"):
        return False
    (submit if job.status == "draft" else start)(job)
    return True


def unit(job: ImportJob) -> None:
    """Do one unit of work, or end one step, or have the job go on, in this process."""
    with queue.run_inline():
        if not go_on(job):
            driver.run_units(job.pk, 0)
    job.refresh_from_db()


def finish(job: ImportJob) -> None:
    """Do all that is left, in this process."""
    while job.status in ("draft", "checking", "ready", "pending", "in_progress"):
        with queue.run_inline():
            go_on(job)
            driver.run_until_idle(job)
    assert job.status == "completed", (job.status, job.reason)


def finish_what_is_free(job: ImportJob) -> bool:
    """Do what nobody else has leased, in this process. Returns whether the job is completed."""
    with queue.run_inline():
        go_on(job)
        driver.run_until_idle(job)
    assert job.status not in ("failed", "stopped"), job.reason
    return job.status == "completed"


def walk(job: ImportJob, moment: str, units: int = 0) -> None:
    """Take a job, in this process, to the moment when so many units of a step are done, or to a status."""
    while not _is_at(job, moment, units):
        assert job.status not in ("completed", "failed"), f"past {moment} {units}: {job.status} {job.reason}"
        unit(job)


def _is_at(job: ImportJob, moment: str, units: int) -> bool:
    if job.step == Step.IDLE:
        return job.status == moment
    buckets = job.buckets.filter(step=job.step)
    wanted = units if units != ALL else buckets.count() or 1
    return job.step == moment and buckets.filter(done__isnull=False).count() == wanted


def ready(*, tied: bool = True) -> ImportJob:
    """A job that was checked, with nobody about who works on it."""
    job = uploaded(tied=tied)
    with queue.run_inline():
        driver.run_until_idle(job)
        submit(job)
        driver.run_until_idle(job)
    return job


def undisturbed(*, tied: bool = True) -> dict[str, Any]:
    """What comes of the file when nothing happens; then everything is as before."""
    begin()
    job = uploaded(tied=tied)
    finish(job)
    assert job.buckets.filter(step=Step.APPLY, lane=Bucket.Lane.SERIAL).count() >= (3 if tied else 1)
    assert job.buckets.filter(step=Step.APPLY, lane=Bucket.Lane.HASH).count() >= 8
    found = outcome(job)
    assert all(found["counts"][name] for name in ("imported", "updated", "unchanged", "failed"))
    begin()
    return found


def outcome(job: ImportJob) -> dict[str, Any]:
    """All that came of a job, in words that are the same in every run."""
    job.refresh_from_db()
    changes = list(Change.objects.filter(change_set=job.change_set_id))
    first_rows = {change.profile_id: change.first_row for change in changes if change.outcome == "imported"}
    names = {p.pk: people.name_of(p, first_rows.get(p.pk)) for p in Profile.objects.all()}
    return {
        "status": (job.status, job.step, job.reason),
        "counts": counts(job),
        "preview": _preview(job, names),
        "people": sorted(_person(profile, names[profile.pk], job) for profile in Profile.objects.all()),
        "identifiers": sorted((i.kind, i.value, names.get(i.profile_id, "nobody")) for i in Identifier.objects.all()),
        "changes": sorted((names[c.profile_id], c.outcome, c.first_row, str(c.changes)) for c in changes),
        "problems": problems(job),
        "attributes": sorted(Attribute.objects.filter(built_in=False).values_list("key", "type")),
        "tables left": tables(job),
    }


def counts(job: ImportJob) -> dict[str, int]:
    return {name: getattr(job, name) for name in COUNTS}


def leased(job: ImportJob) -> list[Bucket]:
    """Buckets of people that somebody has leased and not yet done."""
    return list(job.buckets.filter(step=Step.APPLY, done=None, lease_until__gt=timezone.now()))


def assert_counts_are_true(job: ImportJob) -> None:
    """The counts are those of the buckets that are done, and of the people who are there (design rule 5)."""
    job.refresh_from_db()
    assert job.total == job.imported + job.updated + job.ignored + job.failed + job.not_run
    changes = Change.objects.filter(change_set=job.change_set_id)
    made, known = changes.filter(outcome="imported").count(), changes.filter(outcome="updated").count()
    assert Profile.objects.count() == people.KNOWN + 1 + made
    done = list(job.buckets.filter(step=Step.APPLY, done__isnull=False))
    assert sum(bucket.size for bucket in done) == job.total - job.not_run - _badly_formed(job)
    assert sum(bucket.counts["imported"] for bucket in done) == job.imported == made
    assert sum(bucket.counts["updated"] for bucket in done) == job.updated >= known


def problems(job: ImportJob) -> list[tuple[Any, ...]]:
    fields = ("step", "row", "line", "severity", "column", "value", "code", "reason", "raw")
    return sorted((*row[:-1], str(row[-1])) for row in RowError.objects.filter(job=job).values_list(*fields))


def tables(job: ImportJob) -> list[str]:
    """Tables of the job's own that are there."""
    with connection.cursor() as cursor:
        cursor.execute(
            r"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ ('^imports_[a-z]+_' || %s || '$')",
            [job.pk],
        )
        return sorted(name for (name,) in cursor.fetchall())


def _upload(text: str) -> ImportJob:
    job = ImportJob(name="crash", file_name="crash.csv", source="command", identifier="email", action="append")
    job.file.save("crash.csv", ContentFile(text.encode()), save=False)
    return lifecycle.upload(job, Actor.command())


def _badly_formed(job: ImportJob) -> int:
    return int(job.problems.filter(step=Step.STAGE, severity="error").values("row").distinct().count())


def _preview(job: ImportJob, names: dict[int, str]) -> dict[str, Any]:
    rows = [row | {"person": names.get(row["person"])} for row in job.preview["rows"]]
    return job.preview | {"rows": rows}


def _person(profile: Profile, name: str, job: ImportJob) -> tuple[Any, ...]:
    """``updated`` of whoever was written by the job counts from the time of its change set, in microseconds."""
    assert job.change_set is not None
    updated = "before"
    if profile.updated >= job.change_set.when:
        updated = str((profile.updated - job.change_set.when) // MICROSECOND)
    elif profile.updated < people.LONG_AGO + timedelta(days=1):
        updated = str(profile.updated)
    return name, profile.external_id or "", str(sorted(profile.attributes.items())), updated
