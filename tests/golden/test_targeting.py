"""Golden scenarios of targeting and data points (requirements section 19)."""

from __future__ import annotations

from imports.models import ImportJob
from profiles.models import Profile, Segment, load_schema
from profiles.search import query_builder
from profiles.search.conditions import AttributeCondition, ChangeSetMember, Condition, Operator
from tests.admin.screens import log_in, upload
from tests.admin.test_people_list import look, names
from tests.golden.way import Way, counts, known


def found(*conditions: Condition) -> set[str | None]:
    """The external ids of those who meet the conditions."""
    return {person.external_id for person in query_builder.find_people(conditions, load_schema())}


def test_g_22_a_property_marks_a_set_by_being_there_and_by_its_value(way: Way) -> None:  # SG-01
    known(external_id="four")
    job = way.run("identity,user_set_1\none,1\ntwo,1\nthree,1\n", "clevertap", "external_id")
    assert counts(job) == (3, 0, 0, 0)
    assert Profile.objects.get(external_id="one").attributes["user_set_1"] == 1, "a number (D-21)"
    assert found(AttributeCondition("user_set_1", Operator.EXISTS)) == {"one", "two", "three"}
    assert found(AttributeCondition("user_set_1", Operator.EQUALS, "1")) == {"one", "two", "three"}


def points(way: Way, text: str) -> tuple[int, int | None]:
    """The data points that the preview of a file expects, and those that the finished import counts."""
    job = way.run(text, "braze", "external_id")
    assert job.status == "completed", job.reason
    return job.preview["data_points"], job.data_points


def test_g_33_ids_and_consent_cost_no_data_points_and_values_one_each(way: Way) -> None:  # SB-12
    assert points(way, "external_id\nA1\nA2\nA3\n") == (0, 0)
    assert ImportJob.objects.latest("id").people == 3, "they belong to the set all the same (PS-24)"
    assert points(way, "external_id,email\nA1,a@b.co\nA2,b@b.co\nA3,c@b.co\n") == (3, 3)
    assert points(way, "external_id,email_subscribe\nA1,subscribed\nA2,opted_in\nA3,unsubscribed\n") == (0, 0)


def test_g_34_an_import_is_a_filter_by_its_name_and_a_segment(way: Way) -> None:  # AT-30, HI-16
    known(external_id="B0")
    known(external_id="B1", first_name="Ann")
    text = "external_id,first_name\nB1,Anna\nB2,Ben\n,Cy\n"
    job = way.run(text, "braze", "external_id", "", "--name", "Halloween season fun", "--targeting", "segment")
    assert counts(job) == (1, 1, 0, 1)
    assert job.change_set_id is not None
    assert found(ChangeSetMember(job.change_set_id)) == {"B1", "B2"}
    segment = Segment.objects.get(name="Halloween season fun")
    assert (segment.change_set_id, segment.conditions) == (job.change_set_id, [])
    approver = log_in("Approver")
    for asked in ("import_name", "segment_name"):
        assert names(look(approver, **{asked: "Halloween season fun"})) == ["Anna", "Ben"]


def test_an_import_is_found_by_the_name_of_a_file_with_blanks_around_it(way: Way) -> None:  # SG-03, SG-04
    admin = log_in("Admin")
    way.file = " May leads.csv "
    way.run("external_id\nB1\n", "braze", "external_id", "", "--targeting", "segment")
    upload(admin, b"external_id\nB2\n", " June leads.csv ", preset="braze")
    assert ImportJob.objects.latest("id").name == "June leads.csv"
    for asked in ("import_name", "segment_name"):
        assert names(look(admin, **{asked: "May leads.csv"})) == ["B1"]
