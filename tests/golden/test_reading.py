"""Golden scenarios about what the text of a file means (requirements section 19)."""

from __future__ import annotations

import gzip

import pytest

from imports.models import ImportJob
from profiles.models import Attribute, Profile
from tests.golden.way import Way, counts, known, person, reasons
from tests.made_files import workbook_of

PURCHASE = "identity,purchase date<dd/MM/yyyy HH:mm:ss>\n"


def codes(job: ImportJob) -> list[str]:
    return list(job.problems.order_by("row", "id").values_list("code", flat=True))


def test_g_14_a_row_without_identity_fails_alone(way: Way) -> None:  # PS-05, PS-09, PS-10
    job = way.run("identity,Name\n1,a\n,b\n", "clevertap", "identity")
    assert (job.status, counts(job)) == ("completed", (1, 0, 0, 1))
    assert (job.imported + job.updated, job.failed) == (1, 1)  # No. of Records, No. of Errors
    assert (codes(job), job.problems.get().line) == (["523"], 3)


def test_g_15_each_of_the_14_characters_rejects_its_file(way: Way) -> None:
    for character in "%><!|&.:;$'\"\\#":
        header = f'"a{character * 2 if character == chr(34) else character}b"'
        told = way.refused(f"identity,{header}\n1,x\n", "clevertap", "identity")
        assert f"{character} in “a{character}b” (column 2)" in told
    assert not Profile.objects.exists()


def test_g_16_a_date_format_is_not_tested_for_characters(way: Way) -> None:
    job = way.run(f"{PURCHASE}1,25/12/2023 18:30:00\n", "clevertap", "identity")
    assert (counts(job), reasons(job)) == ((1, 0, 0, 0), [])
    assert Attribute.objects.get(key="purchase date").type == "datetime"
    assert person("external_id", "1").attributes == {"purchase date": "2023-12-25T18:30:00Z"}


def test_g_17_a_missing_time_of_day_is_noon(way: Way) -> None:
    way.run(f"{PURCHASE}1,25/12/2023\n", "clevertap", "identity")
    assert person("external_id", "1").attributes == {"purchase date": "2023-12-25T12:00:00Z"}


def test_g_18_one_instant_in_all_patterns(way: Way) -> None:
    patterns = ["dd/MM/yyyy", "MM/dd/yyyy", "yyyy/dd/MM", "yyyy/MM/dd", "dd MMM yyyy"]
    header = [f"at {number} <{day} HH:mm:ss>" for number, day in enumerate(patterns)]
    texts = ["25/12/2023", "12/25/2023", "2023/25/12", "2023/12/25", "25 Dec 2023"]
    row = [f"{text} 18:30:00" for text in texts]
    file = ",".join(["identity", *header, "at 5<Unix time>"]) + "\n" + ",".join(["1", *row, "1703529000"]) + "\n"
    way.run(file, "clevertap", "identity")
    values = person("external_id", "1").attributes
    assert (len(values), set(values.values())) == (6, {"2023-12-25T18:30:00Z"})


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Identity,Name", "must be written exactly “identity”"),
        ("Name,identity", "“identity” must be the first one, but is column 2"),
        ("identity,,x", "Column 2 has no header"),
        ("Name,Email", "identity or objectId column is required"),
    ],
)
def test_g_19_a_header_row_that_breaks_a_rule_rejects_the_file(way: Way, header: str, told: str) -> None:
    cells = ",".join("a" for _ in header.split(","))
    assert told in way.refused(f"{header}\n{cells}\n", "clevertap", "identity")


def test_g_20_an_object_id_only_finds(way: Way) -> None:  # HI-09
    ann = known(external_id="A1", first_name="Ann")
    job = way.run(f"objectId,first_name\n{ann.object_id},Jack Test\nunknown-1,Bob\n", "clevertap", "objectId")
    assert counts(job) == (0, 1, 0, 1)
    assert person("object_id", ann.object_id).attributes == {"first_name": "Jack Test"}
    assert Profile.objects.count() == 1
    assert (codes(job), reasons(job)) == (["526"], ["No profile with this ID"])


def test_g_29_a_blank_cell_leaves_the_old_value(way: Way) -> None:  # AC-10, AT-34
    known(external_id="A1", home_city="New York")
    job = way.run("external_id,home_city,first_name\nA1,,Ann\n", "braze", "external_id")
    assert counts(job) == (0, 1, 0, 0)
    assert person("external_id", "A1").attributes == {"home_city": "New York", "first_name": "Ann"}


def test_ff_02_nothing_but_csv_in_utf_8_with_commas(way: Way) -> None:
    assert "file is not a CSV" in way.refused(gzip.compress(b"identity,Name\n1,a\n"), "clevertap", "identity")
    told = way.refused("identity,Name\n1,a\n2,é\n".encode("latin-1"), "clevertap", "identity")
    assert "not UTF-8 at line 3" in told
    assert "not closed" in way.refused('identity,Name\n1,"a\n', "clevertap", "identity")
    assert "commas between its values" in way.refused("Name;Email\n1;a\n", "clevertap", "identity")


def test_ff_02_a_workbook_is_read_from_its_first_sheet_or_the_chosen_one(way: Way) -> None:
    may, june = [["email", "plan"], ["ann@x.co", "gold"]], [["email", "plan"], ["ben@x.co", "silver"], ["x"]]
    book = workbook_of({"old": [["email"], ["cy@x.co"]], "May": may, "June": june}, hidden=["old"])
    first = way.run(book, "standard", "email", "update")
    assert [found["reason"] for found in first.findings] == ["The workbook has 2 sheets; “May” is read"]
    job = way.run(book, "standard", "email", "update", "--sheet", "June")
    assert (counts(first), counts(job)) == ((1, 0, 0, 0), (1, 0, 0, 1))
    assert person("email", "ben@x.co").attributes["plan"] == "silver"
    for name in ("july", "old"):
        told = way.refused(book, "standard", "email", "update", "--sheet", name)
        assert f"The workbook has no sheet “{name}”. Choose one of: “May”, “June”." in told
    assert "has no sheet “May”" in way.refused("email\na@x.co\n", "standard", "email", "update", "--sheet", "May")
    assert "file is not a CSV" in way.refused(book, "clevertap", "identity", "", "--sheet", "June")


def test_dt_07_every_other_date_stays_text(way: Way) -> None:
    job = way.run(
        "identity,seen<dd/MM/yyyy>,at<yyyy-MM-dd>,day,mark,DOB\n"
        "1,12/25/2023,2023-12-25,2023-12-25,$D_1487576752,25-12-2023\n",
        "clevertap",
        "identity",
    )
    texts = {"seen": "12/25/2023", "at": "2023-12-25", "day": "2023-12-25", "dob": "25-12-2023"}
    assert person("external_id", "1").attributes == texts | {"mark": "2017-02-20T07:45:52Z"}
    types = dict(Attribute.objects.filter(key__in=["seen", "at", "day", "mark"]).values_list("key", "type"))
    assert types == {"seen": "datetime", "at": "text", "day": "text", "mark": "datetime"}
    assert (counts(job), codes(job), job.warnings) == ((1, 0, 0, 0), ["525", "525"], 2)
    assert [found["code"] for found in job.findings] == ["unknown_date_format"]


def test_at_61_to_69_published_codes(way: Way) -> None:
    header = "identity,Email,Phone,Gender,Employed,Education,Married,Age\n"
    bad = ["x", "+1", "O", "maybe", "PhD", "2", "abc"]
    rows = [f"{number}{',' * number}{text}{',' * (8 - number)}"[:-1] for number, text in enumerate(bad, 1)]
    job = way.run(header + "\n".join(rows) + "\nnull,,,,,,,\n", "clevertap", "identity")
    assert counts(job) == (0, 0, 0, 8)
    assert codes(job) == ["515", "516", "514", "517", "518", "519", "520", "523"]
    good = "9,a@b.co,01 123 111 0123,f,y,graduate,N,34\n"
    way.run(header + good, "clevertap", "identity")
    assert person("external_id", "9").attributes == {
        "email": ["a@b.co"],
        "phone": ["011231110123"],
        "gender": "F",
        "employed": "Y",
        "education": "Graduate",
        "married": "N",
        "age": 34,
    }


def test_at_37_to_48_braze_drops_a_bad_value_and_applies_the_row(way: Way) -> None:
    header = "external_id,country,dob,gender,language,phone,time_zone,date_of_first_session,date_of_last_session\n"
    bad = "1,UKX,21/12/1980,X,english,02071838750,Mars/Base,20.11.2019,2019-11-20T18:38:57+02:00\n"
    good = "2,GB,1980-12-21,nil,en,+442071838750,Eastern Time (US & Canada),2019-11-20,2019-11-20T18:38:57+00:00\n"
    job = way.run(header + bad + good, "braze", "external_id")
    assert (counts(job), job.warnings, len(codes(job))) == ((2, 0, 0, 0), 8, 8)
    assert person("external_id", "1").attributes == {}
    assert person("external_id", "2").attributes == {
        "country": "GB",
        "dob": "1980-12-21",
        "language": "en",
        "phone": ["+442071838750"],
        "time_zone": "America/New_York",
        "date_of_first_session": "2019-11-20T00:00:00Z",
        "date_of_last_session": "2019-11-20T18:38:57Z",
    }


def test_hi_39_a_bad_identifier_fails_its_row_where_values_are_dropped(way: Way) -> None:
    job = way.run("phone,first_name\n020abc,Ann\n", "braze", "phone")
    assert counts(job) == (0, 0, 0, 1)


def test_at_19_push_tokens_are_skipped_and_ff_19_events_are_noticed(way: Way) -> None:
    file = "external_id,push_tokens,time,trip.properties.to,tags\n1,t1,2019-11-20,Rome,\"['a','b']\"\n"
    job = way.run(file, "braze", "external_id")
    assert person("external_id", "1").attributes == {
        "time": "2019-11-20",
        "trip.properties.to": "Rome",
        "tags": "['a','b']",
    }
    assert [found["code"] for found in job.findings] == ["push_tokens", "looks_like_events"]
    assert "looks like an event file" in job.findings[1]["reason"]


def test_brackets_and_marks_mean_nothing_where_dates_are_iso(way: Way) -> None:
    way.run("external_id,at<dd/MM/yyyy>,mark\n1,25/12/2023,$D_1487576752\n", "braze", "external_id")
    values = {"at<dd/MM/yyyy>": "25/12/2023", "mark": "$D_1487576752"}
    assert person("external_id", "1").attributes == values
