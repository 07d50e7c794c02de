"""Imports and single writes at once: nothing is lost, nobody is made twice, and no quarrel reaches anyone (rule 2)."""

import logging
import threading
import time
from collections import Counter, defaultdict
from functools import partial
from random import Random

import orjson
import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from imports.models import Bucket, ImportJob
from profiles.merging.actions import Action
from profiles.merging.person import IncomingRow
from profiles.merging.rules import Outcome, Rules
from profiles.merging.working_set import WorkingSet
from profiles.models import ChangeSet, Identifier, Profile, load_schema
from profiles.writing import lookup, store, value_locks
from tests.oracle import drive
from tests.oracle.cases import Case
from tests.oracle.drive import Crew
from tests.oracle.reference import Person

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

RUNS = [0, 1, *(pytest.param(run, marks=pytest.mark.long) for run in range(2, 20))]
JOBS, HANDS, WRITERS = 4, 2, 2
ROWS, SINGLE_WRITES, BUCKET_ROWS = 80, 20, 12
EMAILS = [f"p{number}@x.co" for number in range(50)]
COUPLES = [EMAILS[0:2], EMAILS[2:4], EMAILS[4:6]]
"""Each held by one person: rows that name either must follow one another."""

TWINS = EMAILS[6]
"""Held by two people."""

FAVOURITE = EMAILS[-1]
"""Named by more rows than a bucket holds."""


@pytest.mark.parametrize("run", RUNS)
def test_imports_and_single_writes_at_once_lose_nothing(run: int, caplog: pytest.LogCaptureFixture) -> None:
    choice = Random(run)
    people = _people()
    drive.store_people(people)
    files = [_file(number, choice) for number in range(JOBS)]
    singles = [[choice.choice(EMAILS) for _ in range(SINGLE_WRITES)] for _ in range(WRITERS)]
    everybody, hands = Crew(JOBS + WRITERS), Crew(JOBS * HANDS)
    start = threading.Barrier(JOBS + WRITERS)
    with drive.options(files[0]), caplog.at_level(logging.ERROR):
        done = everybody.together(
            [partial(_import, case, hands, start) for case in files]
            + [partial(_write, f"s{number}", emails, start) for number, emails in enumerate(singles)]
        )
    everybody.close()
    hands.close()
    assert not caplog.records
    _check_counts(files, [Counter(outcomes) for outcomes in done], made=Profile.objects.count() - len(people))
    _check_effects(files, singles)
    _check_nobody_twice()


def _people() -> list[Person]:
    held = [*COUPLES, [TWINS], [TWINS], [EMAILS[7]]]
    return [
        Person(number, f"o{number}", None, {"email": emails, "labels": ["start"]}, number)
        for number, emails in enumerate(held, 1)
    ]


def _file(number: int, choice: Random) -> Case:
    """Rows that each leave a mark; one in twenty is bad. Most files have one salt, so that their buckets meet."""
    rows = []
    for row in range(1, ROWS + 1):
        email = FAVOURITE if row % 5 == 0 else choice.choice(EMAILS)
        if choice.random() < 0.05:
            email = "not an address"
        rows.append([choice.choice([email, email, email.upper()]), f"j{number}.{row}"])
    return Case([], ["email", "labels"], rows, "email", "append", BUCKET_ROWS, HANDS, salt=number // 3)


def _import(case: Case, crew: Crew, start: threading.Barrier) -> list[str]:
    """The whole way of one file; an outcome per row. All files are checked before the first is applied."""
    job = drive.upload(case)
    drive.check(job, case, crew)
    start.wait()
    drive.apply(job, case, crew)
    applied = Bucket.objects.filter(job=job, step="apply")
    assert set(applied.values_list("lane", flat=True)) == {"hash", "serial"}
    assert set(applied.values_list("attempts", flat=True)) == {1}
    assert job.total == job.imported + job.updated + job.ignored + job.failed + job.not_run == ROWS
    assert job.people == job.change_set.members.count()  # type: ignore[union-attr]
    return _outcomes(job)


def _outcomes(job: ImportJob) -> list[str]:
    counts = {name: getattr(job, name) for name in ("imported", "updated", "failed")}
    return [name for name, count in counts.items() for _ in range(count)]


def _write(writer: str, emails: list[str], start: threading.Barrier) -> list[str]:
    """People written one at a time, as an API or a page would."""
    start.wait()
    return [_write_one(email, f"{writer}.{number}") for number, email in enumerate(emails)]


def _write_one(email: str, mark: str) -> str:
    link = ("email", email)
    row = IncomingRow(1, link, [link], orjson.dumps({"email": [email], "labels": [mark]}).decode())
    for attempt in range(50):
        try:
            with transaction.atomic():
                change_set = ChangeSet.objects.create(kind=ChangeSet.Kind.PERSON, when=timezone.now())
                value_locks.lock_slots(value_locks.slots_of_links([link]), set())
                rules = Rules.of(load_schema(), Action.APPEND, ["email"])
                people = WorkingSet(rules, store.to_microseconds(change_set.when))
                people.add(lookup.load_people([link]))
                outcome = people.apply(row).outcome
                store.write(people, change_set)
            return outcome
        except (store.Conflict, DatabaseError) as conflict:
            if not isinstance(conflict, store.Conflict) and _code(conflict) not in {"23505", "40001", "40P01"}:
                raise
            time.sleep(0.005 * attempt)
    raise AssertionError("others were in the way every time")


def _code(error: DatabaseError) -> str:
    return str(getattr(error.__cause__, "sqlstate", ""))


def _check_counts(files: list[Case], outcomes: list[Counter[str]], made: int) -> None:
    together = sum(outcomes, Counter())
    bad = sum(email.lower() not in EMAILS for case in files for email, _ in case.rows)
    assert together == {
        "imported": made,
        "failed": bad,
        Outcome.UPDATED: JOBS * ROWS + WRITERS * SINGLE_WRITES - made - bad,
    }


def _check_effects(files: list[Case], singles: list[list[str]]) -> None:
    """Each row left its mark once, on somebody who holds its address; of one job and address in the file's order."""
    expected = {mark: email.lower() for case in files for email, mark in case.rows if email.lower() in EMAILS}
    expected |= {f"s{w}.{n}": email for w, emails in enumerate(singles) for n, email in enumerate(emails)}
    left: dict[str, set[str]] = {}
    for profile in Profile.objects.all():
        held = {email.lower() for email in profile.attributes["email"]}
        followed: dict[tuple[str, str], list[int]] = defaultdict(list)
        for mark in profile.attributes["labels"]:
            if mark != "start":
                assert mark not in left
                left[mark] = held
                source, number = mark.split(".")
                followed[source, expected[mark]].append(int(number))
        assert all(numbers == sorted(numbers) for numbers in followed.values())
    assert left.keys() == expected.keys()
    assert all(email in left[mark] for mark, email in expected.items())


def _check_nobody_twice() -> None:
    holders = Counter(Identifier.objects.filter(kind="email").values_list("value", flat=True))
    assert holders.pop(TWINS) == 2
    assert set(holders.values()) == {1}
    assert Identifier.objects.count() == sum(len(p.attributes["email"]) for p in Profile.objects.all())
