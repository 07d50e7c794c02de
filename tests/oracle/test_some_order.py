"""Two imports at once end as if their rows had come one after another in some one order (design rule 2, D-26)."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.models import ImportJob
from profiles.models import Identifier, Profile
from tests.oracle import drive
from tests.oracle.cases import Case, cases
from tests.oracle.drive import Crew
from tests.oracle.reference import Reference, identifiers

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MOST_ROWS = 3
OUTCOMES = ("imported", "updated", "unchanged", "ignored", "failed")
KINDS = st.sampled_from(["email", "automatic", "alias", "external_id", "phone", "badge"])

Place = tuple[int, int]
"""Which file, and which row of it, both from 0."""


@pytest.mark.usefixtures("custom_identifiers")
def test_two_imports_at_once_end_as_their_rows_in_some_order(crew: Crew) -> None:
    @settings(max_examples=settings().max_examples // 10)
    @given(KINDS.flatmap(cases), KINDS.flatmap(cases))
    def ends_in_some_order(one: Case, other: Case) -> None:
        first = replace(one, rows=one.rows[:MOST_ROWS], hands=1, mandatory=False)
        second = replace(other, rows=other.rows[:MOST_ROWS], hands=1, mandatory=False)
        second = replace(
            second, people=first.people, bucket_rows=first.bucket_rows, most_values=first.most_values
        )  # both run over the same people under the same settings
        _compare([first, second], crew)

    ends_in_some_order()


def _compare(files: list[Case], crew: Crew) -> None:
    drive.reset(files[0])
    drive.store_people(files[0].starting())
    with drive.options(files[0]):
        jobs = [drive.upload(case) for case in files]
        for job, case in zip(jobs, files, strict=True):
            drive.check(job, case, crew)
        crew.together([partial(drive.apply, job, case, crew) for job, case in zip(jobs, files, strict=True)])
    end = _end(jobs)
    assert any(end == possible for possible in map(partial(_end_of, files), _orders(files)))


def _end(jobs: Sequence[ImportJob]) -> Any:
    """What there is to see of people and counts, in a form that does not depend on who was made first."""
    links: dict[int, list[list[str]]] = {profile.pk: [] for profile in Profile.objects.all()}
    for held in Identifier.objects.order_by("kind", "value"):
        links[held.profile_id].append([held.kind, held.value])
    people = [
        (p.object_id if len(p.object_id) < 32 else "", p.external_id, _alias(p), p.attributes, links[p.pk])
        for p in Profile.objects.all()
    ]
    counts = []
    for job in jobs:
        updated = job.updated - job.unchanged
        counts.append([job.imported, updated, job.unchanged, job.ignored, job.failed])
    return _plain(people), counts


def _end_of(files: Sequence[Case], order: Iterable[Place]) -> Any:
    """The same of the rows applied one by one in an order."""
    people = files[0].starting()
    references = [Reference(people, case.order()) for case in files]
    counts: list[Counter[str]] = [Counter() for _ in files]
    for file, row in order:
        outcome = references[file].apply_row(row + 1, files[file].rows[row]).outcome
        counts[file][outcome] += 1
    schema = files[0].order().schema
    states = [
        (p.object_id, p.external_id, p.alias, p.attributes, sorted(map(list, identifiers(p, schema)))) for p in people
    ]
    return _plain(states), [[count[outcome] for outcome in OUTCOMES] for count in counts]


def _alias(person: Profile) -> list[str | None] | None:
    return [person.alias_label, person.alias_name] if person.alias_name else None


def _plain(people: Iterable[Any]) -> list[bytes]:
    return sorted(orjson.dumps(person, option=orjson.OPT_SORT_KEYS) for person in people)


def _orders(files: Sequence[Case]) -> Iterator[Sequence[Place]]:
    """All orders of all rows: those that keep each file's own first, since they will mostly do."""
    places = [(file, row) for file, case in enumerate(files) for row in range(len(case.rows))]
    for chosen in itertools.combinations(range(len(places)), len(files[0].rows)):
        own, others = iter(places[: len(chosen)]), iter(places[len(chosen) :])
        yield [next(own) if at in chosen else next(others) for at in range(len(places))]
    yield from itertools.permutations(places)
