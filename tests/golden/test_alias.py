"""Golden scenarios of aliases and of several identifiers in one file (requirements section 19, Braze)."""

from __future__ import annotations

import pytest

from profiles.models import Profile
from tests.golden.way import Way, counts, known, people, person, reasons

SAMPLE = """user_alias_name,user_alias_label,last_name,email,sample_attribute
182736485,my_alt_identifier,Smith,smith@user.com,TRUE
182736486,my_alt_identifier,Nguyen,nguyen@user.com,FALSE
"""
ALIAS = {"alias_label": "my_alt_identifier", "alias_name": "182736485"}
OTHER = {"alias_label": "my_alt_identifier", "alias_name": "182736486"}


def test_g_23_the_alias_sample_makes_alias_only_people_and_then_updates_them(way: Way) -> None:  # AT-32, AT-33, AT-35
    assert counts(way.run(SAMPLE, "braze", "alias", "overwrite")) == (2, 0, 0, 0)
    assert [each["external_id"] for each in people()] == [None, None]
    values = {"last_name": "Smith", "email": ["smith@user.com"], "sample_attribute": True}
    assert Profile.objects.get(**ALIAS).attributes == values
    assert Profile.objects.get(**OTHER).attributes["sample_attribute"] is False
    more = SAMPLE.replace("Smith", "Jones") + "182736485,other_label,Smith,other@user.com,TRUE\n"
    assert counts(way.run(more, "braze", "alias", "overwrite")) == (1, 2, 0, 0)  # HI-18
    assert Profile.objects.get(**ALIAS).attributes["last_name"] == "Jones"


def test_g_24_who_has_an_external_id_is_not_reached_by_alias(way: Way) -> None:
    known(external_id="E1", last_name="Old", **ALIAS)
    before = people()
    job = way.run(SAMPLE, "braze", "alias", "overwrite")
    assert counts(job) == (2, 0, 0, 0)
    assert people()[0] == before[0]
    assert Profile.objects.get(external_id=None, **ALIAS).attributes["last_name"] == "Smith"


def test_g_25_an_unknown_braze_id_fails_its_row_and_makes_nobody(way: Way) -> None:  # AT-31
    job = way.run("braze_id,last_name\nunknown,Smith\n", "braze", "object_id", "overwrite")
    assert counts(job) == (0, 0, 0, 1)
    assert reasons(job) == ["No profile with this ID"]
    assert people() == []


@pytest.mark.parametrize(("preset", "identifier"), [("braze", "automatic"), ("standard", "alias")])
def test_g_26_external_ids_and_aliases_cannot_share_a_file(preset: str, identifier: str, way: Way) -> None:
    text = "external_id,user_alias_name,user_alias_label\nE1,182736485,my_alt_identifier\n"
    reason = way.refused(text, preset, identifier, "overwrite")
    assert "External IDs and aliases cannot share a file" in reason
    assert "skip external_id, or user_alias_name and user_alias_label" in reason


def test_g_27_an_external_id_goes_before_an_email_and_an_email_before_a_phone(way: Way) -> None:  # HI-26, HI-27
    known(external_id="E1", email=["first@user.com"])
    known(email=["second@user.com"])
    known(phone=["+14155550101"])
    rows = "E1,second@user.com,,Smith\n,second@user.com,+14155550101,Nguyen\n,,+14155550101,Ito\n"
    job = way.run("external_id,email,phone,last_name\n" + rows, "braze", "automatic", "overwrite")
    assert counts(job) == (0, 3, 0, 0)
    # The second row finds two people by its address, of whom E1 is the one that was changed last (G-28).
    first, second, third = (each["attributes"] for each in people())
    assert first == {"email": ["second@user.com"], "phone": ["+14155550101"], "last_name": "Ito"}
    assert second == {"email": ["second@user.com"]}
    assert third == {"phone": ["+14155550101"]}


def test_g_27_an_alias_goes_before_an_email(way: Way) -> None:
    known(email=["smith@user.com"])
    known(**OTHER)
    job = way.run(SAMPLE, "braze", "automatic", "overwrite")
    assert counts(job) == (1, 1, 0, 0)
    assert person("email", "nguyen@user.com").alias_name == OTHER["alias_name"]
    assert people()[0]["attributes"] == {"email": ["smith@user.com"]}


def test_g_28_of_people_with_one_email_the_one_changed_last_is_changed(way: Way) -> None:  # HI-23
    for external_id in ("E1", "E2", "E3"):
        known(external_id=external_id, last_name="Old", email=["smith@user.com"])
    way.run("external_id,first_name\nE2,Ann\n", "braze", "external_id", "overwrite")
    job = way.run("email,last_name\nSMITH@user.com,Smith\n", "braze", "email", "overwrite")
    assert counts(job) == (0, 1, 0, 0)
    assert [each["attributes"]["last_name"] for each in people()] == ["Old", "Smith", "Old"]


def test_half_an_alias_fails_its_row_whatever_people_are_found_by(way: Way) -> None:  # HI-17
    rows = "182736485,,one@user.com\n,my_alt_identifier,two@user.com\n,,three@user.com\n"
    text = "user_alias_name,user_alias_label,email\n" + rows
    assert counts(way.run(text, "braze", "email", "overwrite")) == (1, 0, 0, 2)
    job = way.run(text, "braze", "alias", "overwrite")
    assert reasons(job) == [
        "An alias needs its label and its name: fill in user_alias_label, or leave both blank",
        "An alias needs its label and its name: fill in user_alias_name, or leave both blank",
        "The identifier is blank: fill in user_alias_label and user_alias_name",
    ]


def test_half_the_columns_of_an_alias_refuse_the_file(way: Way) -> None:  # HI-15
    reason = way.refused("user_alias_name,email\n1,a@user.com\n", "braze", "alias", "overwrite")
    assert "Column user_alias_name is one half of an alias; map another column to Alias label" in reason


def test_an_alias_that_somebody_has_fails_the_row_that_would_give_it_away(way: Way) -> None:  # rule 12
    known(**ALIAS)
    known(email=["smith@user.com"])
    job = way.run(SAMPLE, "braze", "email", "overwrite")
    assert counts(job) == (1, 0, 0, 1)
    (problem,) = job.problems.all()
    assert (problem.code, problem.column, problem.value) == ("alias_taken", "user_alias_name", "182736485")
    assert problem.reason == "Another person without an External ID has this alias"
