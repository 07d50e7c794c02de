"""Whatever a file says about whomever, and however the work is cut up and shared: the end is that of the rows applied
one by one (design rule 1), and it is what the preview said (PV-07)."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings

from imports.engine import resolve, row_lookup
from imports.models import ImportJob, RowError
from imports.states import Step
from profiles.merging.rules import Outcome
from profiles.models import Change, Identifier, Profile, SubscriptionGroup, Suppression
from tests.oracle import drive
from tests.oracle.cases import IDENTIFIERS, Case, cases
from tests.oracle.drive import Crew, Workers
from tests.oracle.reference import Person, Reference, Row, identifiers

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

EXAMPLES = -(-settings().max_examples // len(IDENTIFIERS))


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.usefixtures("custom_identifiers")
def test_an_import_ends_as_its_rows_one_by_one(identifier: str, crew: Crew) -> None:  # AC-13, AC-15, HI-25, HI-31
    @settings(max_examples=EXAMPLES)
    @given(cases(identifier))
    def ends_as_row_by_row(case: Case) -> None:
        compare(case, crew)

    ends_as_row_by_row()


def compare(case: Case, crew: Workers) -> tuple[ImportJob, dict[int, Person], list[Row]]:
    """Import a case both ways and compare all that there is to compare.

    Returns the job, the people by primary key, and what became of the rows."""
    drive.reset(case)
    reference = case.reference()
    people = drive.store_people(reference.people)
    with drive.options(case):
        job = drive.upload(case)
        before = drive.checksums()
        drive.check(job, case, crew)
        assert drive.checksums() == before, "a preview leaves every table but the job's own as it was"
        rows = reference.apply(case.rows)
        _compare_preview(job, rows, case)
        if case.disturbed:
            drive.disturb()
        drive.apply(job, case, crew)
    _compare_counts(job, rows)
    _compare_problems(job, rows)
    people |= _made(job, rows)
    _compare_people(people, reference)
    _compare_identifiers(people, reference)
    _compare_changes(job, people, reference)
    _compare_suppressions(reference)
    _compare_groups(rows, case)
    return job, people, rows


def _compare_preview(job: ImportJob, rows: list[Row], case: Case) -> None:
    keys = Counter(row.key for row in rows if row.sound and case.record_type == "profiles")
    assert {name: job.preview[name] for name in ("total", "warnings", *resolve.COUNT_NAMES)} == {
        **_counts(rows),
        "repeated": sum(count - 1 for count in keys.values()),
        "cleared": sum(new is None for row in rows for _, new in row.changes.values()),
    }
    shown = {row["row"]: row for row in row_lookup.rows_between(job, 1, len(rows))}
    assert {number: _told(row["problems"]) for number, row in shown.items()} == {
        row.number: sorted(row.codes + row.warnings) for row in rows
    }
    assert {n: (row["outcome"], row["changes"]) for n, row in shown.items()} == {
        row.number: (row.outcome, row.changes) for row in rows
    }
    for outcome in Outcome:
        assert _all_numbers(job, outcome) == [row.number for row in rows if row.outcome == outcome]


def _all_numbers(job: ImportJob, outcome: Outcome) -> list[int]:
    """The rows of an outcome, read in pages of three."""
    numbers: list[int] = []
    while page := row_lookup.row_numbers_by_outcome(job, outcome, numbers[-1] if numbers else 0, 3):
        numbers += page
    return numbers


def _told(problems: Iterable[Any]) -> list[str]:
    return sorted(problem["code"] for problem in problems)


def _counts(rows: list[Row]) -> dict[str, int]:
    outcomes = Counter(row.outcome for row in rows)
    return {
        "total": len(rows),
        "imported": outcomes["imported"],
        "updated": outcomes["updated"] + outcomes["unchanged"],
        "unchanged": outcomes["unchanged"],
        "ignored": outcomes["ignored"],
        "failed": outcomes["failed"],
        "people": len({row.person for row in rows if row.person}),
        "warnings": sum(len(row.warnings) for row in rows),
    }


def _compare_counts(job: ImportJob, rows: list[Row]) -> None:
    expected = {**_counts(rows), "not_run": 0}
    assert {name: getattr(job, name) for name in expected} == expected
    assert job.total == job.imported + job.updated + job.ignored + job.failed + job.not_run


def _compare_problems(job: ImportJob, rows: list[Row]) -> None:
    """What is stored of the rows that failed or were ignored, or left a value out."""
    told: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for problem in RowError.objects.filter(job=job).exclude(step=Step.PREVIEW).order_by("id"):
        told[problem.row].append((problem.severity, problem.code))
    for row in rows:
        expected = [("error", code) for code in row.codes] + [("warning", code) for code in row.warnings]
        expected += [("ignored", "ignored")] * (row.outcome == "ignored")
        assert sorted(told[row.number]) == sorted(expected), f"row {row.number}"


def _made(job: ImportJob, rows: list[Row]) -> dict[int, Person]:
    """The people of the import's making, by the row that made them."""
    made = Change.objects.filter(change_set=job.change_set_id, outcome="imported")
    by_row = {row.number: row.person for row in rows if row.outcome == "imported" and row.person}
    assert sorted(change.first_row or 0 for change in made) == sorted(by_row)
    return {change.profile_id: by_row[change.first_row or 0] for change in made}


def _compare_people(people: dict[int, Person], reference: Reference) -> None:
    stored = {profile.pk: profile for profile in Profile.objects.all()}
    assert stored.keys() == people.keys()
    for ref, person in people.items():
        profile = stored[ref]
        assert (profile.external_id, profile.attributes) == (person.external_id, person.attributes)
        assert (profile.alias_label, profile.alias_name) == (person.alias or (None, None))
        if person.made_by is None:
            assert profile.object_id == person.object_id
            if person.updated == reference.ages[person]:
                assert profile.updated == drive.moment(person.updated)
    by_recency = sorted(stored.values(), key=lambda profile: (profile.updated, profile.pk))
    assert [people[profile.pk] for profile in by_recency] == sorted(people.values(), key=Person.recency)


def _compare_identifiers(people: dict[int, Person], reference: Reference) -> None:
    expected = {(ref, *link) for ref, person in people.items() for link in identifiers(person, reference.order.schema)}
    assert set(Identifier.objects.values_list("profile_id", "kind", "value")) == expected


def _compare_changes(job: ImportJob, people: dict[int, Person], reference: Reference) -> None:
    expected = {
        ref: ("imported", person.first_row, {})
        if person.made_by
        else ("updated", person.first_row, reference.changes(person))
        for ref, person in people.items()
        if person.first_row
    }
    changes = Change.objects.filter(change_set=job.change_set_id)
    assert {c.profile_id: (c.outcome, c.first_row, c.changes) for c in changes} == expected


def _compare_suppressions(reference: Reference) -> None:
    """The newest fact about an address is the one that counts."""
    facts = Suppression.objects.order_by("moment", "change_set", "row")
    assert {(fact.kind, fact.value): fact.suppressed for fact in facts} == reference.suppressed


def _compare_groups(rows: list[Row], case: Case) -> None:
    """Every group that a well-formed row names is known afterwards."""
    order, named = case.order(), set()
    for row, cells in zip(rows, case.rows, strict=True):
        if row.sound:
            values, _ = Reference([], order).read_row(cells, Row(0, ""))
            named |= {key for key in Reference([], order).supplied(values) if key.startswith("group:")}
    assert {f"group:{group.group_id}" for group in SubscriptionGroup.objects.all()} == named
