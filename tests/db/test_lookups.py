"""Looking people up reads the bucket's people and nobody else, whatever the planner believes (design section 7)."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from imports.engine import fast_path
from imports.engine.fast_path import ResolvedCounts
from imports.job_tables import JobTables
from imports.models import Bucket, ImportJob
from profiles.merging.actions import Action
from profiles.merging.rules import Rules
from profiles.models import Identifier, Profile, load_schema
from profiles.writing import lookup, store

pytestmark = pytest.mark.django_db

PEOPLE = 5_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def people() -> None:
    """Tables that were empty when they were last analyzed, and are full now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE profiles_profile, profiles_identifier")
    profiles = Profile.objects.bulk_create(
        Profile(
            object_id=f"{number:032x}",
            external_id=f"e{number}",
            attributes={"email": [f"p{number}@x.co"]},
            created=NOW,
            updated=NOW,
        )
        for number in range(PEOPLE)
    )
    Identifier.objects.bulk_create(
        Identifier(kind="email", value=f"p{number}@x.co", profile=profile) for number, profile in enumerate(profiles)
    )


def read() -> dict[str, int]:
    """Rows of each table read by this transaction, one by one or through an index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('profiles_profile', 'profiles_identifier')"
        )
        return dict(cursor.fetchall())


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("kind", "values"),
    [("email", [f"p{n}@x.co" for n in range(100)]), ("external_id", [f"e{n}" for n in range(100)])],
)
def test_a_look_up_reads_whom_it_finds_and_nobody_else(kind: str, values: list[str]):
    with transaction.atomic():
        store.pin_query_plans()
        before = read()
        found = lookup.load_people([(kind, value) for value in values])
        after = read()
    assert {link for link, _ in found} == {(kind, value) for value in values}
    assert after["profiles_profile"] - before["profiles_profile"] == 100
    assert after["profiles_identifier"] - before["profiles_identifier"] <= 100


@pytest.mark.usefixtures("people")
def test_a_value_that_nobody_holds_reads_nobody():
    with transaction.atomic():
        store.pin_query_plans()
        before = read()
        assert lookup.load_people([("email", f"stranger{n}@x.co") for n in range(100)]) == []
        assert read() == before


@pytest.mark.usefixtures("people")
def test_settling_a_bucket_reads_whom_its_rows_find_and_nobody_else():  # PS-16
    bucket = Bucket(job=ImportJob(pk=1), number=1, first=0, last=1_000)
    tables = JobTables(1)
    tables.create_staged()
    tables.create_results()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {tables.staged} (row_no, line, place, kind, key, links, raw)"
            " SELECT n, n, n, 'email', CASE WHEN n > 100 THEN 'stranger' ELSE 'p' END || n || '@x.co', '[]',"
            " CASE WHEN n > 70 THEN '{\"plan\": \"pro\"}' ELSE '{}' END FROM generate_series(1, 150) AS n"
        )
    tables.index_places()
    tables.index_rows()
    store.pin_query_plans()
    before = read()
    rules = Rules.of(load_schema(), Action.UPDATE, ["email"], may_exceed_limits=False)
    settled, left = fast_path.resolve_plain_rows(bucket.job, bucket, rules)
    assert [chunk.rows for chunk in left] == [[], []]
    assert settled == ResolvedCounts(imported=50, changed=30, kept=70)
    after = read()
    assert after["profiles_profile"] - before["profiles_profile"] == 100
    assert after["profiles_identifier"] - before["profiles_identifier"] <= 100
