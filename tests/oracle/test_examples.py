"""Small imports that once came out otherwise than their rows one by one, or that nothing but luck would try."""

import pytest

from imports.models import RowError
from tests.oracle import drive
from tests.oracle.cases import Case, Start
from tests.oracle.drive import Crew
from tests.oracle.test_oracle import compare

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("custom_identifiers"),
]


def person(
    external_id: str | None = None,
    age: int = 1,
    filler: int = 0,
    alias: tuple[str, str] | None = None,
    **attributes: object,
) -> Start:
    return Start(external_id, attributes, age, filler, alias)


def case(people: list[Start], headers: str, rows: list[str], identifier: str, action: str, **how: object) -> Case:
    """Headers and cells stand between bars."""
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    how = {"bucket_rows": 1000, "hands": 1} | how
    return Case(people, headers.split("|"), cells, identifier, action, **how)  # type: ignore[arg-type]


EXAMPLES = {
    "external ids change hands": case(
        [person("e1", email=["a@x.co"]), person("e2", email=["b@x.co"])],
        "email|external_id",
        ["a@x.co|e3", "b@x.co|e1", "a@x.co|e2"],
        "email",
        "overwrite",
    ),
    "an external id goes to somebody older": case(
        [person(None, email=["a@x.co"]), person("e1", email=["b@x.co"])],
        "email|external_id",
        ["b@x.co|e2", "a@x.co|e1"],
        "email",
        "overwrite",
    ),
    "an external id goes to somebody new": case(
        [person("e1", email=["a@x.co"])],
        "email|external_id",
        ["a@x.co|e2", "new@x.co|e1"],
        "email",
        "overwrite",
    ),
    "external ids change hands from bucket to bucket": case(
        [person("e1", email=["a@x.co"]), person("e2", email=["b@x.co"])],
        "email|external_id",
        ["a@x.co|e3", "b@x.co|e1", "a@x.co|e2"],
        "email",
        "overwrite",
        bucket_rows=1,
    ),
    "aliases change hands": case(
        [person(alias=("crm", "n1"), email=["a@x.co"]), person(alias=("crm", "n2"), email=["b@x.co"])],
        "email|alias label|alias name",
        ["a@x.co|crm|n3", "b@x.co|crm|n1", "a@x.co|crm|n2"],
        "email",
        "overwrite",
    ),
    "an alias is free once its person has an external id, and from bucket to bucket": case(
        [person(email=["b@x.co"]), person(alias=("crm", "n1"), email=["a@x.co"])],
        "email|alias label|alias name|external_id",
        ["b@x.co|crm|n1|", "a@x.co|||e1", "b@x.co|crm|n1|", "c@x.co|crm|n1|e2"],
        "email",
        "overwrite",
        bucket_rows=1,
    ),
    "an external id leaves somebody whose alias another person has too": case(
        [
            person(email=["c@x.co"]),
            person(alias=("crm", "n1")),
            person("e1", alias=("crm", "n1"), email=["a@x.co"]),
        ],
        "email|external_id",
        ["a@x.co|e2", "c@x.co|e1"],
        "email",
        "overwrite",
    ),
    "external id and alias change hands at once": case(
        [
            person(alias=("crm", "n1"), email=["a@x.co"]),
            person("e1", alias=("crm", "n1"), email=["b@x.co"]),
            person("e2", alias=("crm", "n2"), email=["c@x.co"]),
        ],
        "email|external_id|alias label|alias name",
        ["b@x.co|e3|crm|n3", "a@x.co|e1|crm|n2", "c@x.co||crm|n1"],
        "email",
        "overwrite",
    ),
    "who has an external id is not reached by alias": case(
        [person("e1", alias=("crm", "n1")), person(alias=("crm", "n2"))],
        "alias label|alias name|city",
        ["crm|n1|Oslo", "crm|n1|Rome", "crm|n2|Bonn", "shop|n2|Bern", "crm||Ulm", "||Ulm"],
        "alias",
        "overwrite",
    ),
    "an alias from bucket to bucket": case(
        [person(alias=("crm", "n1"))],
        "alias label|alias name|city",
        ["crm|n1|Oslo", "crm|n2|Rome", "crm|n1|Bonn", "crm|n2|Bern"],
        "alias",
        "append",
        bucket_rows=1,
    ),
    "the external id given to somebody ends the reach of their alias": case(
        [person(alias=("crm", "n1"), email=["a@x.co"])],
        "alias label|alias name|external_id|email",
        ["|||a@x.co", "crm|n1||", "||e1|a@x.co", "crm|n1|e1|", "crm|n1||b@x.co", "crm|n1||c@x.co"],
        "automatic",
        "append",
        bucket_rows=2,
    ),
    "somebody new with too many values": case(
        [], "email|email 2|email 3", ["a@x.co|b@x.co|c@x.co", "a@x.co|b@x.co|"], "email", "update", most_values=2
    ),
    "a single identifier from bucket to bucket": case([], "card", ["c4", "c4"], "card", "replace", bucket_rows=1),
    "a value that goes and comes back": case(
        [person("e1", card="c2", email=["a@x.co"])], "external_id|card", ["e1|c4", "e1|c2"], "external_id", "append"
    ),
    "somebody who lost the value that others are looked up by": case(
        [person(None, email=["a@x.co", "b@x.co"])],
        "email|city",
        ["a@x.co|Oslo", "b@x.co|Rome", "a@x.co|Bonn", "b@x.co|Bern"],
        "email",
        "replace",
        bucket_rows=1,
    ),
    "many hands find everything done": case(
        [], "email", ["a@x.co", "b@x.co", "c@x.co"], "email", "update", bucket_rows=1, hands=4
    ),
    "the identifier is only in the column that comes last": case(
        [person(None, phone=["1000001"])], "phone 2|city|phone", ["|Oslo|100-00 01", "1000002|Rome|"], "phone", "append"
    ),
    "a person is found by whom they are, not by whom the row brings": case(
        [person("e1", email=["a@x.co"]), person(None, email=["b@x.co"], age=9)],
        "email|external_id|city",
        ["b@x.co|e1|Oslo", "a@x.co|e1|Rome"],
        "email",
        "update",
    ),
    "everything at the limit of 256 custom attributes": case(
        [person(None, email=["a@x.co"], filler=256), person(None, email=["b@x.co"], filler=255)],
        "email|plan|city",
        ["a@x.co|gold|Oslo", "a@x.co||Oslo", "b@x.co|gold|Oslo"],
        "email",
        "overwrite",
    ),
    "a text identifier with blanks around it": Case(
        [person(None, badge=["b1"])], ["badge"], [[" b1 "], [" b2 "], ["b2"]], "badge", "overwrite", 1000, 1
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_ends_as_row_by_row(name: str, crew: Crew) -> None:
    compare(EXAMPLES[name], crew)


def test_problems_of_a_row_are_told_in_the_order_of_the_checks(crew: Crew) -> None:  # PS-27, RP-13
    rows = ["old||not an address"]
    flawed = case([], "age|first name|email", rows, "email", "update", mandatory=True)
    drive.reset(flawed)
    with drive.options(flawed):
        job = drive.upload(flawed)
        drive.check(job, flawed, crew)
    told = RowError.objects.filter(job=job).order_by("id").values_list("code", flat=True)
    assert list(told) == ["invalid_email", "missing_mandatory", "invalid_integer"]
