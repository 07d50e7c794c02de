"""People edited and deleted at forms while imports write them: nothing is lost or left over (design rule 2)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from imports.models import ImportJob
from profiles.models import Change, Identifier, Profile
from profiles.writing import edit, store
from profiles.writing.edit import SeenVersion
from profiles.writing.errors import EditRefused, ErrorKind
from tests.oracle import drive
from tests.oracle.cases import Case
from tests.oracle.drive import Crew
from tests.oracle.reference import Person

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

RUNS = [0, *(pytest.param(run, marks=pytest.mark.long) for run in range(1, 20))]
JOBS, EDITORS, DELETERS, HANDS = 2, 2, 1, 2
ROWS, EDITS, DELETIONS = 80, 20, 8
EMAILS = [f"p{number}@x.co" for number in range(30)]
KNOWN = EMAILS[:20]


@pytest.mark.parametrize("run", RUNS)
def test_edits_and_deletions_beside_imports_lose_nothing_and_leave_nothing_over(run: int):
    choice = Random(run)
    held = enumerate(KNOWN, 1)
    drive.store_people([Person(n, f"o{n}", None, {"email": [email], "labels": ["start"]}, n) for n, email in held])
    files = [_file(number, choice) for number in range(JOBS)]
    edits = [[(choice.choice(KNOWN), f"e{editor}.{n}") for n in range(EDITS)] for editor in range(EDITORS)]
    gone = [choice.sample(KNOWN, DELETIONS) for _ in range(DELETERS)]
    everybody, hands = Crew(JOBS + EDITORS + DELETERS), Crew(JOBS * HANDS)
    start = threading.Barrier(JOBS + EDITORS + DELETERS)
    with drive.options(files[0]):
        everybody.together(
            [partial(_import, case, hands, start) for case in files]
            + [partial(_edit, each, start) for each in edits]
            + [partial(_delete, each, start) for each in gone]
        )
    everybody.close()
    hands.close()
    for job in ImportJob.objects.all():
        assert (job.status, job.imported + job.updated, job.not_run) == ("completed", ROWS, 0)
    people = {profile.pk: profile for profile in Profile.objects.all()}
    emails = [email for profile in people.values() for email in profile.attributes["email"]]
    assert sorted(emails) == sorted(set(emails))
    assert sorted(Identifier.objects.values_list("value", flat=True)) == sorted(emails)
    for model in (Identifier, Change):
        assert set(model.objects.values_list("profile_id", flat=True)) <= people.keys()
    never_deleted = set(KNOWN).difference(*gone)
    for profile in people.values():
        (email,) = profile.attributes["email"]
        marks = {mark for each in edits for address, mark in each if address == email}
        rows = {mark for case in files for address, mark in case.rows if address == email}
        labels = set(profile.attributes["labels"])
        assert labels <= marks | rows | {"start"}
        if email in never_deleted:
            assert labels == marks | rows | {"start"}


def _file(number: int, choice: Random) -> Case:
    """Every other row brings only what people have: it notes down whom it found and changes nobody."""
    marks = [f"j{number}.{row}" if row % 2 else "start" for row in range(1, ROWS + 1)]
    rows = [[choice.choice(EMAILS), mark] for mark in marks]
    return Case([], ["email", "labels"], rows, "email", "append", 12, HANDS, salt=number)


def _import(case: Case, crew: Crew, start: threading.Barrier) -> None:
    job = drive.upload(case)
    drive.check(job, case, crew)
    start.wait()
    drive.apply(job, case, crew)


def _edit(edits: list[tuple[str, str]], start: threading.Barrier) -> None:
    start.wait()
    for email, mark in edits:
        _until_done(email, lambda person: _add_label(person, mark))  # noqa: B023  called before mark changes


def _add_label(person: Profile, mark: str) -> None:
    edit.save(_seen(person), {"labels": [*person.attributes["labels"], mark]}, None)


def _delete(emails: list[str], start: threading.Barrier) -> None:
    start.wait()
    for email in emails:
        _until_done(email, lambda person: edit.delete(_seen(person), None))


def _until_done(email: str, act: Callable[[Profile], object]) -> None:
    """Whoever is refused because of an older page opens it anew; who is gone stays gone."""
    while person := Profile.objects.filter(attributes__email=[email]).first():
        try:
            act(person)
        except EditRefused as refused:
            if refused.faults[0].kind not in (ErrorKind.CHANGED, ErrorKind.GONE, ErrorKind.BUSY):
                raise
        else:
            break


def _seen(person: Profile) -> SeenVersion:
    return SeenVersion(person.pk, store.to_microseconds(person.updated))
