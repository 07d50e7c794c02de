"""Whatever a file of events says, and however the work is cut up and shared: the end is that of its rows one by one
(design rule 1), each event is there once (EV-11, PS-21), and nobody who was known has changed (EV-13)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from profiles.models import Event
from tests.oracle.cases import IDENTIFIERS, Start
from tests.oracle.drive import Crew
from tests.oracle.event_cases import EventCase, Said, event_cases
from tests.oracle.test_oracle import compare

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

EXAMPLES = -(-settings().max_examples // len(IDENTIFIERS) // 4)


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.usefixtures("custom_identifiers")
def test_events_end_as_their_rows_one_by_one(identifier: str, crew: Crew) -> None:  # EV-08
    @settings(max_examples=EXAMPLES)
    @given(event_cases(identifier))
    def ends_as_row_by_row(case: EventCase) -> None:
        _compare(case, crew)

    ends_as_row_by_row()


@pytest.mark.usefixtures("custom_identifiers")
def test_of_several_who_share_a_value_the_last_changed_has_the_events(crew: Crew) -> None:
    """Nothing else ties them, so that one statement settles the rest of the bucket."""
    people = [Start(None, {"email": ["a@x.co"]}, age) for age in (1, 3, 2)]
    rows = [["a@x.co"], ["b@x.co"], ["a@x.co"], ["b@x.co"]]
    said = [["login", "2019-11-20", "", "", ""]] * 4
    _compare(EventCase(people, ["email"], rows, "email", "", 1000, 1, said=said), crew)


def _compare(case: EventCase, crew: Crew) -> None:
    job, people, rows = compare(case, crew)
    numbers = {person: ref for ref, person in people.items()}
    expected = [
        (row.number, numbers[row.person], *row.event)
        for row in rows
        if isinstance(row, Said) and row.event and row.person
    ]
    found = Event.objects.filter(change_set=job.change_set_id).order_by("row")
    assert [
        (event.row, event.profile_id, event.name, f"{event.time:%Y-%m-%dT%H:%M:%SZ}", event.properties)
        for event in found
    ] == expected
