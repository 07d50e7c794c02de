"""`manage.py import_profiles` in one process."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import override_settings

from imports.engine import driver
from imports.jobs import lifecycle, queue, transitions
from imports.jobs.transitions import Transition
from imports.models import ImportJob
from imports.states import Status
from profiles.models import Attribute, Change, ChangeSet, Identifier, Profile

PEOPLE = Path(__file__).parent.parent / "data" / "own-people.csv"
BOTH_PHONES = ["--map", "phone1=phone", "--map", "phone2=phone"]

pytestmark = pytest.mark.django_db


def run(file: Path | str, *more: str, identifier: str = "email", action: str = "update", **streams: Any) -> str:
    """What the command prints to stdout. Raises CommandError as the command does."""
    out = io.StringIO()
    options = ["--identifier", identifier, "--action", action, "--inline", *more]
    call_command("import_profiles", str(file), *options, **{"stdout": out, "stderr": io.StringIO()} | streams)
    return out.getvalue()


def result(file: Path | str, *more: str, **choices: str) -> dict[str, Any]:
    """The JSON line of an import that ends well."""
    last = run(file, "--json", *more, **choices).splitlines()[-1]
    found: dict[str, Any] = json.loads(last)
    return found


def refusal(*arguments: str) -> CommandError:
    """The error that the command ends with."""
    with pytest.raises(CommandError) as caught:
        call_command("import_profiles", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    return caught.value


def write(folder: Path, text: str, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def attributes(email: str) -> dict[str, Any]:
    """What is known about the person of an address."""
    person = Identifier.objects.get(kind="email", value=email).profile_id
    found: dict[str, Any] = Profile.objects.get(pk=person).attributes
    return found


def person_of(group: str, name: str = "kim") -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=group))
    return user


# --- a file becomes people ----------------------------------------------------------------------


def test_the_json_line_has_exactly_the_members_promised():
    found = result(PEOPLE, *BOTH_PHONES)
    job = ImportJob.objects.get()
    assert list(found) == [
        *("job", "status", "counts", "unchanged", "people", "warnings", "seconds", "rows_per_second", "errors")
    ]
    assert found["job"] == job.pk
    assert found["status"] == "completed"
    assert found["counts"] == {"total": 12, "imported": 12, "updated": 0, "ignored": 0, "failed": 0, "not_run": 0}
    assert (found["unchanged"], found["people"], found["warnings"], found["errors"]) == (0, 12, 0, [])
    assert list(found["seconds"]) == ["scan", "stage", "preview", "apply", "total"]
    assert all(seconds > 0 for seconds in found["seconds"].values())
    assert found["seconds"]["total"] >= sum(found["seconds"].values()) / 2 - 0.01
    assert found["rows_per_second"] == pytest.approx(12 / found["seconds"]["total"], abs=1)


def test_two_phone_columns_become_one_list_of_digits():
    result(PEOPLE, *BOTH_PHONES)
    assert attributes("nora.quist@example.com")["phone"] == ["4155550111", "4155550112"]
    assert attributes("ida.lund@example.com")["phone"] == ["4155550115"]
    assert attributes("leo.marsh@example.com")["phone"] == ["4155550122"]
    assert attributes("eva.roth@example.com")["phone"] == ["4155550123"]
    assert attributes("kai.berg@example.com")["phone"] == ["4155550129", "4155550130"]


@pytest.mark.parametrize("country", ["US", "us"])
def test_a_default_country_makes_phones_international(country: str):
    result(PEOPLE, *BOTH_PHONES, "--default-country", country)
    assert attributes("nora.quist@example.com")["phone"] == ["+14155550111", "+14155550112"]


def test_a_postcode_with_a_leading_zero_stays_text():
    result(PEOPLE)
    assert attributes("nora.quist@example.com")["zip"] == "08014"
    assert Attribute.objects.get(key="zip").type == "text"


def test_a_second_run_updates_everybody_and_changes_nothing():
    result(PEOPLE, *BOTH_PHONES)
    before = dict(Profile.objects.values_list("pk", "updated"))
    found = result(PEOPLE, *BOTH_PHONES)
    assert found["counts"]["updated"] == found["unchanged"] == found["people"] == 12
    assert dict(Profile.objects.values_list("pk", "updated")) == before


def test_ignore_leaves_known_people_alone():
    result(PEOPLE)
    found = result(PEOPLE, action="ignore")
    assert found["counts"] == {"total": 12, "imported": 0, "updated": 0, "ignored": 12, "failed": 0, "not_run": 0}
    assert found["people"] == 0


def test_the_job_says_that_it_came_by_command_and_is_named_after_its_file():
    result(PEOPLE)
    job = ImportJob.objects.get()
    assert (job.source, job.name, job.file_name, job.created_by) == ("command", PEOPLE.name, PEOPLE.name, None)
    assert job.file_size == PEOPLE.stat().st_size
    named = result(PEOPLE, "--name", " Newcomers ")
    assert ImportJob.objects.get(pk=named["job"]).name == "Newcomers"


# --- a dry run ----------------------------------------------------------------------------------


def test_a_dry_run_tells_the_counts_and_changes_nothing():
    schema = set(Attribute.objects.values_list("key", flat=True))
    found = result(PEOPLE, "--dry-run")
    assert found["status"] == "ready"
    assert found["counts"] == {"total": 12, "imported": 12, "updated": 0, "ignored": 0, "failed": 0, "not_run": 0}
    assert found["people"] == 12
    assert found["seconds"]["apply"] == 0
    assert not any(model.objects.exists() for model in (Profile, Identifier, ChangeSet, Change))
    assert set(Attribute.objects.values_list("key", flat=True)) == schema


def test_a_dry_run_shows_where_each_column_goes_and_how_to_import():
    printed = run(PEOPLE, "--dry-run", "--skip", "street", *BOTH_PHONES)
    lines = [line.split() for line in printed.splitlines()]
    assert ["phone2", "phone", "phone"] in lines
    assert ["street", "(skipped)"] in lines
    assert ["zip", "zip", "(new", "attribute)", "text"] in lines
    assert "run the same command without --dry-run" in printed


# --- columns ------------------------------------------------------------------------------------


def test_a_column_goes_to_a_key_a_label_an_own_field_or_a_new_attribute(tmp_path: Path):
    file = write(tmp_path, "code,who,town,extra,rest\n7,a@example.com,Oslo,x,y\n")
    maps = ["--map", "code=external_id", "--map", "who=Email", "--map", "town=Home city", "--map", "extra=nickname"]
    result(file, *maps, "--skip", "rest")
    person = Profile.objects.get()
    assert person.external_id == "7"
    assert person.attributes == {"email": ["a@example.com"], "home_city": "Oslo", "nickname": "x"}


def test_the_last_equals_sign_parts_header_and_target(tmp_path: Path):
    file = write(tmp_path, "email,a=b\nx@example.com,1\n")
    result(file, "--map", "a=b=sum")
    assert attributes("x@example.com")["sum"] == 1


def test_a_header_may_be_named_without_its_date_format(tmp_path: Path):
    file = write(tmp_path, "email,seen<dd/MM/yyyy>\nx@example.com,25/12/2023\n")
    result(file, "--map", "seen=last_seen")
    assert attributes("x@example.com")["last_seen"] == "2023-12-25T12:00:00Z"


def test_a_mapping_comes_from_a_manifest_and_arguments_come_on_top_of_it(tmp_path: Path):  # MP-09
    path = write(tmp_path, "mail,since,tier,note\na@x.co,25/12/2023,1,x\n")
    said = {
        "mail": {"ctName": "email"}, "note": {"ctName": None}, "tier": {"ctName": "tier", "dataType": "STRING"},
        "since": {"ctName": "since", "dataType": "Date", "dateFormat": "dd/MM/yyyy"},
    }  # fmt: skip
    mapping = write(tmp_path, json.dumps({"columns": said}), "mapping.json")
    run(path, "--mapping", str(mapping), "--map", "note=remark")
    assert attributes("a@x.co") == {
        "email": ["a@x.co"], "since": "2023-12-25T12:00:00Z", "tier": "1", "remark": "x",
    }  # fmt: skip


def test_a_wrong_mapping_is_told_before_the_file_is_stored(tmp_path: Path):
    arguments = [str(PEOPLE), "--identifier", "email", "--action", "update", "--inline", "--mapping"]
    wrong = refusal(*arguments, str(write(tmp_path, '{"columns": {"zip": {"ctName": "a", "dataType": "DATE!"}}}', "m")))
    assert (wrong.returncode, "The dataType" in str(wrong)) == (2, True)
    assert refusal(*arguments, str(tmp_path / "none.json")).returncode == 2
    assert not ImportJob.objects.exists()
    unknown = refusal(*arguments, str(write(tmp_path, '{"columns": {"phone_1": {"ctName": "phone"}}}', "m")))
    assert "did you mean phone1?" in str(unknown)


def test_encoding_and_delimiter_are_taken_at_their_word(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_bytes("email;first_name\nx@example.com;Zoë\n".encode("cp1252"))
    result(path, "--encoding", "cp1252", "--delimiter", "semicolon")
    assert attributes("x@example.com")["first_name"] == "Zoë"


# --- wrong usage: exit code 2 ---------------------------------------------------------------------


def test_a_missing_identifier_lists_the_choices_with_a_sentence_each():
    error = refusal(str(PEOPLE), "--action", "update")
    assert error.returncode == 2
    for choice in ("automatic ", "external_id ", "object_id ", "email ", "phone ", "whatsapp ", "web "):
        assert f"\n  {choice}" in str(error)
    assert "mailing lists" in str(error)


def test_a_missing_action_lists_the_choices_with_a_sentence_each():  # AC-01
    error = refusal(str(PEOPLE), "--identifier", "email")
    assert error.returncode == 2
    for choice in ("ignore", "update", "append", "overwrite", "replace"):
        assert f"\n  {choice}" in str(error)
    assert "safest" in str(error)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--identifier", "shoe"], "shoe"),
        (["--action", "merge"], "merge"),
        (["--map", "zip"], "HEADER=TARGET"),
        (["--map", "zip="], "HEADER=TARGET"),
        (["--map", "zip=a", "--map", "zip=b"], "both a and b"),
        (["--map", "zip=a", "--skip", "zip"], "--skip"),
        (["--preset", "other"], "standard"),
        (["--targeting", "all"], "Create targeting filter and add to new segment"),
        (["--default-country", "Narnia"], "two-letter"),
        (["--option", "iso_dates"], "NAME=VALUE"),
        (["--option", "shoe=1"], "unknown_columns"),
        (["--option", "csv_only=no"], "There is no option csv_only"),
        (["--option", "iso_dates=perhaps"], "The option iso_dates cannot be perhaps. It is one of:\n  True "),
        (["--option", "unknown_columns=drop"], "require_mapping"),
        (["--option", "time_zone=Narnia"], "There is no time zone Narnia"),
        (["--option", "default_country=Narnia"], "two-letter"),
        (["--option", "default_country=DE", "--default-country", "FR"], "set twice"),
        (["--encoding", "morse"], "utf-8"),
        (["--delimiter", "ab"], "semicolon"),
        (["--name", "x" * 256], "255"),
        (["--user", "nobody"], "nobody"),
        (["--skip", "nothere"], "It has email, first_name, last_name, phone1"),
        (["--map", "phone_1=phone"], "did you mean phone1?"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence_and_changes_nobody(options: list[str], said: str):
    error = refusal(str(PEOPLE), "--identifier", "email", "--action", "update", "--inline", *options)
    assert error.returncode == 2
    assert said in str(error)
    assert not Profile.objects.exists()


def test_an_identifier_that_is_not_ready_is_told_with_the_choices():
    Attribute.objects.create(key="card", label="Card", type="text", identifier=True, index_work="filling")
    error = refusal(str(PEOPLE), "--identifier", "card", "--action", "update")
    assert error.returncode == 2
    assert "People cannot be matched by card yet" in str(error)
    assert "Try again in a minute, or use --identifier with:\n  automatic" in str(error)
    assert "\n  card" not in str(error)


def test_a_file_that_is_not_there_or_is_a_folder_is_wrong_usage(tmp_path: Path):
    for path, said in [(tmp_path / "none.csv", "There is no file"), (tmp_path, "is a folder")]:
        error = refusal(str(path), "--identifier", "email", "--action", "update")
        assert error.returncode == 2
        assert said in str(error)
    assert not ImportJob.objects.exists()


# --- refused: exit code 1 -------------------------------------------------------------------------


def test_a_file_without_the_identifier_is_refused_and_not_kept(tmp_path: Path):
    file = write(tmp_path, "name,city\nAnn,Oslo\n")
    error = refusal(str(file), "--identifier", "email", "--action", "update", "--inline")
    assert error.returncode == 1
    assert "email is not in the file" in str(error)
    assert "name, city" in str(error)
    job = ImportJob.objects.get()
    assert job.status == Status.FAILED
    assert not job.file


def test_every_fault_of_a_mapping_is_told_on_a_line(tmp_path: Path):
    file = write(tmp_path, "name,city,home_city\nAnn,Oslo,Bergen\n")
    error = refusal(str(file), "--identifier", "email", "--action", "update", "--inline", "--map", "city=home_city")
    assert error.returncode == 1
    lines = str(error).splitlines()
    assert any("email is not in the file" in line for line in lines)
    assert any("home_city, which holds one value: city, home_city" in line for line in lines)


def test_a_refused_file_gives_its_reason_in_the_json_line(tmp_path: Path):
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        run(write(tmp_path, "email\n"), "--json", stdout=out)
    assert caught.value.returncode == 1
    found = json.loads(out.getvalue())
    assert found["status"] == "failed"
    assert [(error["code"], error["row"]) for error in found["errors"]] == [("no_data_rows", None)]
    assert found["errors"][0]["reason"] in str(caught.value)


# --- problems of rows -----------------------------------------------------------------------------


def test_failed_rows_leave_the_exit_code_0_and_the_first_20_are_told(tmp_path: Path):
    rows = "".join(f"p{n}@example.com,{n}\nbad{n}@,{n}\n" for n in range(25))
    found = result(write(tmp_path, f"email,number\n{rows}"))
    assert found["status"] == "completed"
    assert (found["counts"]["imported"], found["counts"]["failed"]) == (25, 25)
    assert len(found["errors"]) == 20
    assert found["errors"][1] == {
        "row": 4,
        "line": 5,
        "column": "email",
        "value": "bad1@",
        "code": "invalid_email",
        "reason": "Invalid email format",
    }


def test_a_row_that_only_the_database_can_refuse_is_told_once(tmp_path: Path):
    result(write(tmp_path, "email,external_id\na@example.com,1\nb@example.com,2\n"))
    again = write(tmp_path, "email,external_id\nb@example.com,1\n")
    assert len(result(again, "--dry-run", action="overwrite")["errors"]) == 1
    assert len(result(again, action="overwrite")["errors"]) == 1


def test_what_it_prints_for_people_has_figures_and_problems_and_nothing_that_moves_the_cursor(tmp_path: Path):
    file = write(tmp_path, "email,[b]phone\n\x1b[2Jx@,\na@example.com,1\n,2\n")
    printed = run(file, "--map", "[b]phone=phone")
    assert "Import " in printed.splitlines()[1]
    assert ["Failed", "3"] in [line.split() for line in printed.splitlines()]
    assert r"\x1b[2Jx@" in printed
    assert "[b]phone" in printed
    assert "(empty)" in printed
    assert "\x1b" not in printed


def test_there_are_no_bars_where_there_is_no_terminal():
    err = io.StringIO()
    run(PEOPLE, stderr=err)
    assert err.getvalue() == ""


# --- who acts ---------------------------------------------------------------------------------------


def test_what_a_creator_imports_waits_for_approval_and_says_by_whom():
    kim, approver = person_of("Creator"), person_of("Approver", "ada")
    printed = run(PEOPLE, "--user", "kim")
    job = ImportJob.objects.get()
    assert (job.status, job.created_by) == (Status.AWAITING_APPROVAL, kim)
    assert f"Import {job.pk} waits for approval. It can be approved by: {approver}." in printed
    assert not Profile.objects.exists()


def test_what_an_approver_imports_starts_at_once():
    ada = person_of("Approver", "ada")
    assert result(PEOPLE, "--user", "ada")["status"] == "completed"
    assert ChangeSet.objects.get().actor == ada


@override_settings(IMPORTS_APPROVAL="always")
def test_under_four_eyes_an_approver_cannot_approve_alone():
    person_of("Approver", "ada")
    printed = run(PEOPLE, "--user", "ada")
    assert ImportJob.objects.get().status == Status.AWAITING_APPROVAL
    assert "Nobody may approve it yet" in printed


def test_somebody_without_a_role_is_refused_and_the_file_is_not_kept(settings: Any, tmp_path: Path):
    settings.MEDIA_ROOT = str(tmp_path)  # of its own: other tests store files meanwhile
    User.objects.create_user("sam")
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        run(PEOPLE, "--user", "sam", "--json", stdout=out)
    assert caught.value.returncode == 1
    assert json.loads(out.getvalue())["errors"][0]["code"] == "role"
    assert not ImportJob.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('email,age <dd/MM/yyyy>\na@x.co,"x,y"\nb@x.co,7\nc@x.co,8\n', "invalid_integer"),
        ("email,phone <dd/MM/yyyy>\na@x.co,abc\nb@x.co,5550100\nc@x.co,\n", "invalid_phone"),
        ("email <dd/MM/yyyy>,age\nnobody,1\nb@x.co,7\nc@x.co,8\n", "invalid_email"),
    ],
)
def test_a_date_format_over_what_is_no_date_changes_nothing(tmp_path: Path, text: str, code: str):
    (tmp_path / "dates.csv").write_text(text)
    found = result(tmp_path / "dates.csv")
    assert (found["counts"]["imported"], found["counts"]["failed"]) == (2, 1)
    assert [error["code"] for error in found["errors"]] == [code]
    ages = {tuple(p.attributes["email"]): p.attributes.get("age") for p in Profile.objects.all()}
    assert ages == ({("b@x.co",): 7, ("c@x.co",): 8} if "age" in text else {("b@x.co",): None, ("c@x.co",): None})


def test_a_file_over_the_limit_is_refused_before_it_is_stored(settings: Any, tmp_path: Path):
    settings.MEDIA_ROOT, settings.IMPORTS_MAX_MB = str(tmp_path / "stored"), 1
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(1024**2 + 1)
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        run(tmp_path / "large.csv", "--json", stdout=out)
    assert str(caught.value) == "The file has 1,048,577 bytes and the limit is 1 MB. Split it into smaller files."
    assert json.loads(out.getvalue())["errors"][0]["code"] == "too_large"
    assert not ImportJob.objects.exists()
    assert not (tmp_path / "stored").exists()


def test_a_storage_that_cannot_be_written_is_told_in_a_sentence(settings: Any, tmp_path: Path):
    settings.MEDIA_ROOT = write(tmp_path, "", "no-folder")
    with pytest.raises(CommandError, match="The file cannot be stored: ") as caught:
        run(PEOPLE)
    assert caught.value.returncode == 1
    assert not ImportJob.objects.exists()


# --- presets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--preset", "hubspot"], ["There is no preset hubspot", "clevertap", "expertflow", "braze"]),
        (["--preset", "clevertap"], ["Choose what to match people by", "identity", "objectId"]),
        (
            ["--preset", "clevertap", "--identifier", "email"],
            ["does not match people by email", "identity"],
        ),
        (
            ["--preset", "clevertap", "--identifier", "automatic"],
            ["The preset clevertap does not match people by automatic"],
        ),
        (
            ["--preset", "expertflow", "--identifier", "email"],
            ["Choose what happens to people who exist", "ignore", "append"],
        ),
        (
            ["--preset", "expertflow", "--identifier", "email", "--action", "overwrite"],
            ["The preset expertflow does not offer overwrite", "replace"],
        ),
        (
            ["--preset", "expertflow", "--identifier", "identity"],
            ["The preset expertflow does not match people by identity"],
        ),
        (
            ["--preset", "braze", "--identifier", "facebook"],
            ["The preset braze does not match people by facebook", "braze_id"],
        ),
    ],
)
def test_what_a_preset_does_not_offer_is_refused_with_what_it_does(arguments: list[str], told: list[str]):
    error = refusal(str(PEOPLE), *arguments)
    assert error.returncode == 2
    for text in told:
        assert text in str(error)
    assert not ImportJob.objects.exists()


def test_a_preset_with_an_action_of_its_own_needs_none(tmp_path: Path):
    path = write(tmp_path, "identity,Name\n1,Ann\n")
    call_command(
        "import_profiles", str(path), "--preset", "clevertap", "--identifier", "identity", "--inline",
        stdout=io.StringIO(), stderr=io.StringIO(),
    )  # fmt: skip
    job = ImportJob.objects.get()
    assert (job.preset, job.identifier, job.action, job.imported) == ("clevertap", "external_id", "overwrite", 1)


def test_options_of_a_preset_are_set_otherwise_for_one_import(tmp_path: Path):
    path = write(tmp_path, "plan,identity,at <dd/MM/yyyy>\ngold,1,25/12/2023\n")
    arguments = [str(path), "--preset", "clevertap", "--identifier", "identity", "--inline"]
    assert "must be the first one" in str(refusal(*arguments))
    options = ["identifier_first=no", "bracket_dates=False", "forbidden_characters=ALLOW", "time_zone=europe/berlin"]
    call_command(
        "import_profiles", *arguments, *(f"--option={option}" for option in options),
        stdout=io.StringIO(), stderr=io.StringIO(),
    )  # fmt: skip
    job = ImportJob.objects.latest("pk")
    assert job.options == {
        "identifier_first": "False", "bracket_dates": "False", "forbidden_characters": "allow",
        "time_zone": "Europe/Berlin",
    }  # fmt: skip
    assert Profile.objects.get(external_id="1").attributes == {"plan": "gold", "at <dd/MM/yyyy>": "25/12/2023"}


def test_an_option_that_says_nothing_about_events_is_none_of_theirs():
    arguments = ["--identifier", "email", "--type", "events", "--option", "enforce_mandatory=no"]
    assert "There is no option enforce_mandatory for events" in str(refusal(str(PEOPLE), *arguments))


# --- resume -----------------------------------------------------------------------------------------


def resume(number: int, *more: str) -> str:
    out = io.StringIO()
    call_command("resume_import", str(number), *more, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def stopped() -> ImportJob:
    """An import that somebody stopped when it was planned and nothing of it was applied."""
    run(PEOPLE, "--dry-run")
    job = ImportJob.objects.get()
    with queue.run_inline():
        lifecycle.transition(job, Transition.START, transitions.Actor.command())
        driver.run_units(job.pk, 0)
        job.refresh_from_db()
        lifecycle.stop(job, transitions.Actor.command())
    return job


def test_a_stopped_import_is_resumed_to_its_end():
    job = stopped()
    printed = resume(job.pk, "--inline")
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    assert Profile.objects.count() == job.imported == 12
    assert f"Import {job.pk}" in printed


def test_whoever_follows_an_import_that_has_ended_sees_its_result():
    run(PEOPLE)
    printed = resume(ImportJob.objects.get().pk, "--wait")
    assert ["Imported", "12", "new", "people"] in [line.split() for line in printed.splitlines()]


def test_only_what_ended_early_can_be_resumed():
    run(PEOPLE)
    job = ImportJob.objects.get()
    with pytest.raises(CommandError, match="completed; only a stopped or failed one can be resumed") as caught:
        resume(job.pk)
    assert caught.value.returncode == 1
    with pytest.raises(CommandError, match=f"the last one is {job.pk}") as caught:
        resume(job.pk + 1)
    assert caught.value.returncode == 2


def test_somebody_elses_import_is_not_resumed_by_a_creator():
    person_of("Creator")
    job = stopped()
    with pytest.raises(CommandError, match="Only the uploader, an Approver or an Admin"):
        resume(job.pk, "--user", "kim")
