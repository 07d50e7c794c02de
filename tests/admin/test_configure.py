"""The second screen: choices are kept, files read again, mappings remembered, without a browser (section 9)."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports.drafts import configure
from imports.drafts.configure import DraftChanges
from imports.jobs import lifecycle, stored_file, transitions
from imports.jobs.transitions import Actor, Transition
from imports.mapping import preset_choices
from imports.mapping.column_mapping import Target
from imports.models import ImportColumn, ImportJob
from imports.presets import PRESETS, Options
from imports.states import Status, Step
from profiles.models import Attribute
from tests.admin.screens import address, check, finish, log_in, upload

pytestmark = pytest.mark.django_db

LETTERS = "email;name;plan\nann@x.co;Zoë;gold\nben@x.co;Łukasz;silver\n"


def draft(client: Client, content: bytes | str = "email,mobile,plan\nann@x.co,+15551234567,gold\n") -> ImportJob:
    upload(client, content.encode() if isinstance(content, str) else content)
    return ImportJob.objects.latest("pk")


def send(client: Client, job: ImportJob, **values: Any):
    return client.post(address("configure", job), values, follow=True)


def quietly(client: Client, job: ImportJob, **values: Any):
    return client.post(address("configure", job), {"quiet": "1", **values})


def goes_to(job: ImportJob) -> dict[str, tuple[str, str]]:
    return {column.header: (column.target_kind, column.target) for column in job.columns.all()}


def shown(client: Client, job: ImportJob, query: str = "") -> str:
    page = client.get(address("configure", job) + query)
    assert page.status_code == 200
    return page.content.decode()


def test_a_choice_that_comes_after_the_check_that_has_it_does_not_undo_the_check():
    creator = log_in("Creator")
    job = draft(creator)
    late = {"identifier": "email", "was-identifier": "", "column": "3", "target-3": "skip", "was-target-3": "new"}
    check(creator, job, **{"column": "3", "target-3": "skip"})
    quietly(creator, job, **late)
    job.refresh_from_db()
    assert job.status == Status.READY
    quietly(creator, job, action="append")
    job.refresh_from_db()
    assert job.status == Status.DRAFT


def test_a_check_heeds_what_the_same_choice_saved_a_moment_before():
    creator = log_in("Creator")
    job = draft(creator)
    quietly(creator, job, action="append")
    assert job.action == "", "as a request has it that began before"
    configure.apply_changes(job, Actor.command(), DraftChanges({"action": "append"}))
    assert job.action == "append"


# --- choices --------------------------------------------------------------------------------------


def test_nothing_is_chosen_for_a_person_and_every_identifier_is_offered():  # HI-29
    creator = log_in("Creator")
    page = shown(creator, draft(creator))
    assert re.findall(r'id="([^"]*)"[^>]* checked', page) == ["targeting-filter"], "the only one with a default (SG-05)"
    twelve = "phone email facebook whatsapp instagram web voice viber youtube linkedin twitter telegram"
    for key in ["automatic", "external_id", "object_id", "alias", *twelve.split()]:
        assert f'id="identifier-{key}"' in page
    assert "Other identifiers, to which no column is mapped yet (14)" in page


def test_an_identifier_of_the_schema_is_offered_too():  # HI-29
    Attribute.objects.create(key="loyalty", label="Loyalty card", type="text", identifier=True, multi_valued=True)
    creator = log_in("Creator")
    assert "Loyalty card" in shown(creator, draft(creator))


def test_one_choice_is_saved_as_made_and_the_rest_is_left_alone():
    creator = log_in("Creator")
    job = draft(creator)
    answer = quietly(creator, job, column="3", here="1,2,3", **{"target-3": "skip"})
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert 'id="marks-3" data-state="decided"' in answer.content.decode()
    assert "2 mapped, 1 skipped, 0 undecided" in answer.content.decode()
    quietly(creator, job, identifier="email")
    quietly(creator, job, action="append")
    quietly(creator, job, name="April leads")
    quietly(creator, job, default_country="DE")
    job.refresh_from_db()
    assert (job.identifier, job.action, job.name) == ("email", "append", "April leads")
    assert job.options == {"default_country": "DE"}
    assert goes_to(job) == {"email": ("attribute", "email"), "mobile": ("attribute", "phone"), "plan": ("skip", "")}


def test_a_page_that_is_sent_whole_changes_only_what_was_changed_on_it():
    creator = log_in("Creator")
    job = draft(creator)
    stale = {"column": ["1", "2", "3"]} | {
        f"{name}-{line.column.position}": value
        for line in creator.get(address("configure", job)).context["lines"]
        for name, value in (
            ("was", line.was), ("target", line.value), ("key", line.key), ("type", line.new_type),
        )
    }  # fmt: skip
    quietly(creator, job, column="2", **{"target-2": "skip"})
    quietly(creator, job, identifier="email")
    send(creator, job, **stale | {"target-3": "attribute:labels", "was-identifier": "", "save": "1"})
    job.refresh_from_db()
    assert job.identifier == "email"
    assert goes_to(job) == {
        "email": ("attribute", "email"), "mobile": ("skip", ""), "plan": ("attribute", "labels"),
    }  # fmt: skip


def test_a_new_attribute_has_the_key_and_the_type_that_were_chosen():  # MP-04
    creator = log_in("Creator")
    job = draft(creator)
    quietly(creator, job, column="3", **{"target-3": "new", "key-3": "Tarif", "type-3": "integer"})
    column = job.columns.get(position=3)
    assert (column.target_kind, column.target, column.type) == (Target.NEW, "Tarif", "integer")


def test_two_columns_on_one_single_value_are_both_marked_and_neither_is_unselected():
    creator = log_in("Creator")
    job = draft(creator, "email,a,b\nann@x.co,1,2\n")
    quietly(creator, job, column="2", **{"target-2": "attribute:age"})
    answer = quietly(creator, job, column="3", here="1,2,3", **{"target-3": "attribute:age"}).content.decode()
    assert answer.count("Several columns are mapped to age, which holds one value: a, b; skip all but one") == 2
    assert {target for header, (_, target) in goes_to(job).items() if header != "email"} == {"age"}


def test_a_blank_name_is_told_at_its_field_and_the_old_one_stays():  # PS-01
    creator = log_in("Creator")
    job = draft(creator)
    assert "Give the import a name" in quietly(creator, job, name="  ").content.decode()
    page = send(creator, job, name="", save="1").content.decode()
    assert "Give the import a name" in page
    assert "<title>Error:" in page.replace("\n", "")
    job.refresh_from_db()
    assert job.name == "people.csv"


@pytest.mark.parametrize(
    "wrong",
    [
        {"identifier": "nonsense"},
        {"action": "destroy"},
        {"default_country": "XX"},
        {"time_zone": "Nowhere/At_all"},
        {"phone_format": "\0"},
        {"column": "3", "target-3": "attribute:gone"},
        {"column": "3", "target-3": "\0"},
        {"column": "4", "target-4": "skip"},
        {"column": "99999999999999999999", "here": "1,-1,x,²,99999999999"},
    ],
)
def test_what_the_lists_do_not_offer_is_not_taken(wrong: dict[str, str]):
    creator = log_in("Creator")
    job = draft(creator)
    assert quietly(creator, job, **wrong).status_code == 200
    assert send(creator, job, save="1", **wrong).status_code == 200
    job.refresh_from_db()
    assert (job.identifier, job.action, job.options) == ("", "", {})
    assert goes_to(job)["plan"] in [("new", "plan"), ("undecided", "")]


# --- what is in the way ---------------------------------------------------------------------------


def test_undecided_columns_keep_the_file_from_being_checked_with_their_number():
    creator = log_in("Creator")
    job = draft(creator)
    quietly(creator, job, identifier="email")
    quietly(creator, job, action="update")
    answer = quietly(creator, job, column="3", **{"target-3": "undecided"}).content.decode()
    assert "1 column to decide" in answer
    page = send(creator, job, check="1").content.decode()
    assert "1 column needs a mapping, or must be skipped: plan" in page
    assert 'href="#place-3"' in page
    assert 'aria-disabled="true"' in page
    job.refresh_from_db()
    assert job.status == Status.DRAFT
    assert "1 column skipped." in send(creator, job, skip_undecided="1").content.decode()
    send(creator, job, check="1")
    job.refresh_from_db()
    assert job.status == Status.READY


def test_what_is_missing_is_told_in_the_same_words_at_its_place():
    creator = log_in("Creator")
    page = send(creator, draft(creator), check="1").content.decode()
    for reason, place in {
        "Choose what to match people by": "identifiers",
        "Choose what happens to existing people": "actions",
    }.items():
        assert page.count(reason) == 2
        assert f'href="#{place}"' in page
        assert f'id="{place}"' in page


# --- reading again --------------------------------------------------------------------------------


def test_the_sample_shows_whether_the_encoding_is_right_and_another_reads_the_file_again():
    creator = log_in("Creator")
    job = draft(creator, "email;name;plan\nann@x.co;Zoë;gold\n".encode("cp1252"))
    quietly(creator, job, column="3", **{"target-3": "skip"})
    quietly(creator, job, name="May leads")
    quietly(creator, job, identifier="email")
    assert "Zoë" in shown(creator, job)
    page = send(creator, job, encoding="cp1251", delimiter="", reread="1").content.decode()
    assert "The file was read again." in page
    assert "Zoл" in page
    job.refresh_from_db()
    assert (job.status, job.step, job.name, job.identifier) == (Status.DRAFT, Step.IDLE, "May leads", "email")
    assert goes_to(job)["plan"] == ("skip", "")
    assert job.transitions.filter(name=Transition.REREAD, actor__username="Creator").count() == 1
    assert "Zoë" in send(creator, job, encoding="", delimiter="", reread="1").content.decode()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"encoding": "utf-8"}, "UTF-8"),
        ({"encoding": "utf-16-le"}, ""),
        ({"delimiter": "|"}, "the file has one column instead of 3"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_and_nothing_is_lost(wrong: dict[str, str], reason: str):
    creator = log_in("Creator")
    job = draft(creator, "email;name;plan\nann@x.co;Zoë;gold\n".encode("cp1252"))
    quietly(creator, job, column="3", **{"target-3": "skip"})
    before = goes_to(job)
    page = send(creator, job, **wrong, reread="1").content.decode()
    assert reason in page
    assert "The earlier reading of the file is kept." in page
    assert "Zoë" in page
    assert "<title>Error:" in page.replace("\n", "")
    assert goes_to(job) == before
    job.refresh_from_db()
    assert job.file
    assert not {name for name in job.format if name.startswith("chosen")}
    quietly(creator, job, identifier="email")
    assert "The earlier reading" not in shown(creator, job)
    check(creator, job)
    job.refresh_from_db()
    assert (job.status, job.preview["imported"]) == (Status.READY, 1)


def test_choices_come_back_with_the_headers_that_a_wrong_delimiter_took_away():
    creator = log_in("Creator")
    job = draft(creator, "email;na:me;plan\nann@x.co;Zo:e;gold\n")
    quietly(creator, job, column="3", **{"target-3": "skip"})
    send(creator, job, delimiter=":", reread="1")
    assert list(goes_to(job)) == ["email;na", "me;plan"]
    send(creator, job, delimiter=";", reread="1")
    assert goes_to(job)["plan"] == ("skip", "")


def test_a_checked_import_whose_file_is_read_again_is_a_draft_and_is_checked_anew():
    creator = log_in("Creator")
    job = draft(creator, LETTERS)
    check(creator, job)
    send(creator, job, encoding="utf-8", reread="1")
    job.refresh_from_db()
    assert (job.status, job.preview) == (Status.DRAFT, {})
    check(creator, job)
    job.refresh_from_db()
    assert (job.status, job.preview["imported"]) == (Status.READY, 2)


def test_while_a_large_file_is_read_again_choices_are_not_taken_and_that_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("imports.admin.configure.view.SMALL_BYTES", 1)
    creator = log_in("Creator")
    job = draft(creator, LETTERS)
    assert "Reading the file" in send(creator, job, encoding="cp1251", reread="1").content.decode()
    answer = quietly(creator, job, identifier="email")
    assert answer.status_code == 409
    assert "was not saved" in answer.content.decode()
    finish(job)
    waiting = creator.get(address("configure", job), headers={"HX-Request": "true"})
    assert waiting["HX-Refresh"] == "true"
    job.refresh_from_db()
    assert (job.format["found"]["encoding"], job.identifier) == ("cp1251", "")


def test_a_workbook_has_no_encoding_to_choose(tmp_path):
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "people.xlsx") as book:
        book.add_worksheet().write_column(0, 0, ["email", "ann@x.co"])
    creator = log_in("Creator")
    page = shown(creator, draft(creator, (tmp_path / "people.xlsx").read_bytes()))
    assert 'name="encoding"' not in page
    assert "Excel workbook" in page


def test_options_are_kept_and_used():
    creator = log_in("Creator")
    job = draft(creator, "phone\n030 123456\n")
    send(creator, job, default_country="DE", time_zone="Europe/Berlin", phone_format="e164", save="1")
    assert "default country Germany, times in Europe/Berlin" in shown(creator, job)
    check(creator, job, identifier="phone")
    job.refresh_from_db()
    assert (job.preview["imported"], job.preview["failed"]) == (1, 0)
    send(creator, job, default_country="", save="1")
    job.refresh_from_db()
    assert job.options == {"time_zone": "Europe/Berlin", "phone_format": "e164"}
    assert job.status == Status.DRAFT


@pytest.mark.parametrize("preset", PRESETS)
def test_the_options_of_every_preset_can_be_changed_for_one_import(preset: str):
    creator = log_in("Creator")
    upload(creator, b"identity,age\n1,x\n", preset=preset)
    job = ImportJob.objects.get()
    chosen = {"on_invalid_value": "fail_row", "iso_dates": "False", "genders": "MF", "default_time": "23:59:59"}
    send(creator, job, save="1", **chosen)
    job.refresh_from_db()
    assert job.options == chosen
    found = stored_file.options(job)
    assert (found.on_invalid_value, found.iso_dates, found.default_time) == ("fail_row", False, "23:59:59")
    page = shown(creator, job)
    for each in chosen.values():
        assert f'<option value="{each}" selected>' in page


ALL_OPTIONS = [*preset_choices.OPTIONS, *preset_choices.RARE_OPTIONS]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_option_of_a_person_is_offered_and_kept(preset: str):
    creator = log_in("Creator")
    upload(creator, b"identity,age\n1,x\n", preset=preset)
    job = ImportJob.objects.get()
    chosen = {name: preset_choices.option_values(name)[-1] for name in ALL_OPTIONS}
    send(creator, job, save="1", **chosen)
    job.refresh_from_db()
    assert job.options == chosen
    assert {str(getattr(stored_file.options(job), name)) for name in chosen} == set(chosen.values())


def test_every_option_is_a_choice_or_a_matter_of_its_system():
    no_choice = {
        *("csv_only", "max_megabytes", "max_event_megabytes", "data_points", "published_codes", "event_name"),
    }
    assert {each.name for each in fields(Options)} - set(ALL_OPTIONS) == no_choice


def test_another_way_with_unknown_columns_suggests_anew_and_leaves_choices_alone():
    creator = log_in("Creator")
    job = draft(creator, "email,mobile,plan,tier\nann@x.co,+15551234567,gold,1\n")
    quietly(creator, job, column="4", **{"target-4": "attribute:age"})
    answer = quietly(creator, job, here="1,2,3,4", unknown_columns="require_mapping").content.decode()
    assert "2 columns to decide" in answer
    assert 'id="marks-3" data-state="undecided"' in answer
    assert goes_to(job) == {
        "email": ("attribute", "email"), "mobile": ("undecided", ""), "plan": ("undecided", ""),
        "tier": ("attribute", "age"),
    }  # fmt: skip
    quietly(creator, job, unknown_columns="")
    assert goes_to(job)["plan"] == ("new", "plan")


def test_headers_and_types_are_read_anew_when_dates_are_written_otherwise():
    creator = log_in("Creator")
    job = draft(creator, "email,at <DD/MM/YYYY>,day\nann@x.co,1,2024-02-29\n")
    assert [found["code"] for found in job.findings] == ["unknown_date_format"]
    quietly(creator, job, bracket_dates="False", iso_dates="False")
    job.refresh_from_db()
    assert [column.name for column in job.columns.all()] == ["email", "at <DD/MM/YYYY>", "day"]
    assert [found["code"] for found in job.findings] == ["forbidden_character"]
    assert job.columns.get(position=3).type == "text"
    quietly(creator, job, bracket_dates="", iso_dates="")
    assert job.columns.get(position=3).type == "date"


def test_a_header_that_an_option_makes_unusable_is_told_and_not_checked():
    creator = log_in("Creator")
    upload(creator, f"email,<b>,{'x' * 110} <dd/MM/yyyy>\nann@x.co,1,2\n".encode(), preset="expertflow")
    job = ImportJob.objects.latest("pk")
    assert job.status == Status.FAILED, "which has no date formats, so the third name is too long"
    upload(creator, f"email,<b>,{'x' * 90}\nann@x.co,1,2\n".encode(), preset="expertflow")
    job = ImportJob.objects.latest("pk")
    quietly(creator, job, bracket_dates="True", unknown_columns="create")
    assert goes_to(job)["<b>"] == ("undecided", "")
    page = unescape(send(creator, job, identifier="email", action="update", check="1").content.decode())
    assert "Column 2 has a date format, <b>, but no name before it" in page


def test_what_differs_from_the_preset_stands_out_and_is_given_up_with_one_button():
    creator = log_in("Creator")
    job = draft(creator)
    assert "hanged from the preset" not in shown(creator, job)
    answer = quietly(creator, job, phone_format="plus").content.decode()
    assert "Options changed from the preset Standard:" in answer
    quietly(creator, job, iso_dates="True", genders="MF")
    page = unescape(shown(creator, job))
    assert "Changed from the preset default (with + or without, separators are left out)." in page
    assert "Set for this import; the same as the preset default." in page
    assert 'id="rare-options" open' in page
    page = send(creator, job, preset="expertflow", **{"was-preset": "standard"}).content.decode()
    assert "Options still changed from the preset: Genders." in page, "the preset has the phone format that was chosen"
    page = send(creator, job, preset_options="yes", phone_format="plus", **{"was-phone_format": "plus"})
    assert "Options reset to those of the preset Expertflow bulk upload." in page.content.decode()
    assert "hanged from the preset" not in page.content.decode()
    assert "Set for this import" not in page.content.decode()
    job.refresh_from_db()
    assert job.options == {}


def test_an_approver_sees_which_options_were_chosen_by_hand():
    creator = log_in("Creator")
    job = draft(creator)
    quietly(creator, job, enforce_mandatory="False")
    page = check(creator, job).content.decode()
    assert "Mandatory attributes are required: <strong>no</strong> (default: yes)" in page


def test_of_two_tabs_the_one_saved_last_wins_and_the_other_shows_it():
    creator = log_in("Creator")
    job = draft(creator)
    quietly(creator, job, phone_format="plus", **{"was-phone_format": ""})
    answer = quietly(creator, job, phone_format="e164", **{"was-phone_format": ""}).content.decode()
    assert 'id="told-phone_format" data-option="phone_format" data-value="e164"' in answer
    answer = quietly(creator, job, iso_dates="False").content.decode()
    assert 'data-option="phone_format" data-value="e164"' in answer


def test_a_page_of_another_preset_checks_nothing():
    creator = log_in("Creator")
    job = draft(creator)
    send(creator, job, preset="braze")
    old = {"was-preset": "standard", "preset": "standard", "was-record_type": "profiles", "record_type": "profiles"}
    page = send(creator, job, check="1", identifier="email", action="update", **old).content.decode()
    assert "The preset has been changed to Braze user import since you opened this page" in page
    job.refresh_from_db()
    assert (job.status, job.preset) == (Status.DRAFT, "braze")


# --- presets --------------------------------------------------------------------------------------


def test_a_header_row_that_looks_like_another_preset_only_suggests_it():
    creator = log_in("Creator")
    job = draft(creator, "identity,Name,mobile\n1,Ann,x\n")
    page = shown(creator, job)
    assert "This file looks as if it was made for another preset, CleverTap CSV upload" in page
    quietly(creator, job, column="2", **{"target-2": "attribute:first_name"})
    quietly(creator, job, default_country="DE")
    page = send(creator, job, preset="clevertap").content.decode()
    assert "The file was read again with the preset CleverTap CSV upload." in page
    assert "This file looks" not in page
    job.refresh_from_db()
    assert (job.preset, job.action, job.options) == ("clevertap", "overwrite", {"default_country": "DE"})
    assert goes_to(job) == {
        "identity": ("field", "external_id"), "Name": ("attribute", "first_name"), "mobile": ("new", "mobile"),
    }  # fmt: skip


def test_a_suggestion_that_is_declined_does_not_come_back():
    creator = log_in("Creator")
    job = draft(creator, "identity,Name\n1,Ann\n")
    assert "This looks like" not in send(creator, job, keep_preset="yes").content.decode()
    job.refresh_from_db()
    assert job.preset == "standard"


def test_another_preset_makes_suggestions_anew_and_keeps_what_it_offers():
    creator = log_in("Creator")
    job = draft(creator, "email,mobile,plan\nann@x.co,+15551234567,gold\n")
    quietly(creator, job, identifier="automatic")
    quietly(creator, job, action="append")
    page = send(creator, job, preset="expertflow", **{"was-preset": "standard", "save": "1"}).content.decode()
    assert "2 columns to decide" in page
    assert 'id="identifier-automatic"' not in page
    assert 'id="action-overwrite"' not in page
    job.refresh_from_db()
    assert (job.preset, job.identifier, job.action) == ("expertflow", "", "append")
    assert goes_to(job) == {"email": ("attribute", "email"), "mobile": ("undecided", ""), "plan": ("undecided", "")}
    send(creator, job, preset="braze")
    job.refresh_from_db()
    assert (job.preset, job.action, goes_to(job)["plan"]) == ("braze", "append", ("new", "plan"))


def test_headers_are_read_anew_under_another_preset():
    creator = log_in("Creator")
    job = draft(creator, "identity,external_id,at<DD/MM/YYYY>\n1,1,2023-12-25\n")
    assert [found["code"] for found in job.findings] == ["unknown_date_format"]
    send(creator, job, preset="braze")
    job.refresh_from_db()
    assert [column.name for column in job.columns.all()] == ["identity", "external_id", "at<DD/MM/YYYY>"]
    assert (goes_to(job)["identity"], job.findings) == (("new", "identity"), [])


def test_rows_of_another_width_are_counted_before_anything_is_checked():
    creator = log_in("Creator")
    for rows, said in [("ann@x.co\n", "1 row has too many"), ("ann@x.co\nben@x.co,1,2\n", "2 rows have too many")]:
        job = draft(creator, f"email,plan\n{rows}cy@x.co,gold\n")
        assert [found["reason"].startswith(said) for found in job.findings if found["code"] == "ragged"] == [True]


def test_what_was_chosen_for_another_record_type_is_not_taken_along():  # PS-25
    creator = log_in("Creator")
    job = draft(creator, "email,name,time,plan,mobile\na@x.co,login,2020-01-01,gold,1\n")
    send(creator, job, column=["4", "5"], **{"target-4": "new:", "key-4": "tier", "target-5": "attribute:phone"})
    send(creator, job, record_type="events")
    assert goes_to(job)["plan"] == ("skip", "")
    assert goes_to(job)["mobile"] == ("attribute", "phone")
    send(creator, job, column="4", **{"target-4": "property:login.properties.plan"})
    assert goes_to(job)["plan"] == ("property", "login.properties.plan")
    send(creator, job, record_type="profiles")
    assert goes_to(job)["plan"] == ("new", "plan")  # not left out without a word
    assert goes_to(job)["time"] == ("new", "time")


def test_a_file_that_another_preset_cannot_take_stays_what_it_was(settings):
    creator = log_in("Creator")
    job = draft(creator)
    quietly(creator, job, identifier="email")
    settings.IMPORTS_MAX_MB = 10 / 1024**2
    page = send(creator, job, preset="clevertap").content.decode()
    assert "the limit is 10 bytes" in page
    assert "The earlier reading of the file is kept." in page
    job.refresh_from_db()
    assert (job.preset, job.identifier, job.action, job.status) == ("standard", "email", "", Status.DRAFT)


def test_a_preset_that_takes_no_events_refuses_them_here_too():
    creator = log_in("Creator")
    job = draft(creator)
    page = send(creator, job, preset="clevertap", record_type="events").content.decode()
    assert PRESETS["clevertap"].no_events_reason in page
    job.refresh_from_db()
    assert (job.preset, job.record_type) == ("standard", "profiles")


@pytest.mark.parametrize("sent", [{"preset": "nonsense"}, {"record_type": "things"}, {"preset": ""}])
def test_a_preset_that_does_not_exist_is_not_heeded(sent: dict[str, str]):
    creator = log_in("Creator")
    job = draft(creator)
    assert send(creator, job, save="1", **sent).status_code == 200
    job.refresh_from_db()
    assert (job.preset, job.record_type) == ("standard", "profiles")


def test_what_a_preset_does_not_offer_is_not_taken_by_the_page_and_not_checked():
    creator = log_in("Creator")
    upload(creator, b"identity,email\n1,a@x.co\n", preset="clevertap")
    job = ImportJob.objects.get()
    quietly(creator, job, identifier="email")
    job.refresh_from_db()
    assert job.identifier == ""
    ImportJob.objects.update(identifier="email")  # as another version of the site may have left it
    page = send(creator, job, check="1").content.decode()
    assert (
        "The preset CleverTap CSV upload does not match people by Email; choose one of identity, objectId"
        in unescape(page)
    )
    job.refresh_from_db()
    assert job.status == Status.DRAFT


def test_a_mandatory_attribute_without_a_column_is_told_beside_the_button():
    Attribute.objects.filter(key="first_name").update(mandatory=True)
    creator = log_in("Creator")
    upload(creator, b"email\na@x.co\n", preset="expertflow")
    page = shown(creator, ImportJob.objects.get())
    assert "no column for <bdi>firstName</bdi>" in page
    assert 'aria-disabled="true"' in page


def test_each_identifier_stands_under_what_it_is():
    Attribute.objects.create(key="loyalty", label="Loyalty card", type="text", identifier=True, multi_valued=True)
    creator = log_in("Creator")
    page = shown(creator, draft(creator))
    groups = [f'<p class="group">{group}</p>' for group in ("IDs", "Channels", "Custom attributes")]
    places = [page.index(group) for group in groups]
    assert places == sorted(places)
    assert places[2] < page.index("Loyalty card")


def test_the_preview_names_preset_record_type_and_what_was_found():  # PV-06
    creator = log_in("Creator")
    upload(creator, b"external_id,First_name\n1,Ann\n", preset="braze")
    answer = check(creator, ImportJob.objects.get(), "external_id", "overwrite")
    page = answer.content.decode()
    assert "Braze user import · Customers · People matched by <strong>External ID</strong>" in page
    assert "existing people: <strong>Overwrite</strong> · 2 columns mapped" in page
    assert [target for _, target in answer.context["mapped"]] == [
        "External ID, text",
        "First_name, text (new attribute)",
    ]
    assert "if first_name is meant, rename the column or map it to first_name" in page


def test_a_mapping_of_another_preset_is_not_offered():
    creator = log_in("Creator")
    used = earlier(creator)
    upload(creator, b"email,plan,mobile\na@x.co,gold,+15551234567\n", preset="expertflow")
    job = ImportJob.objects.latest("pk")
    assert "April leads" not in shown(creator, job)
    send(creator, job, preset="standard")
    assert "April leads" in shown(creator, job)
    send(creator, job, preset="braze")
    assert "not there any more" in send(creator, job, remembered=str(used.pk)).content.decode()


# --- a mapping used before ------------------------------------------------------------------------


def earlier(client: Client, content: str = "email,plan,mobile\na@x.co,gold,+15551234567\n") -> ImportJob:
    job = draft(client, content)
    quietly(client, job, name="April leads", column="2", **{"target-2": "attribute:labels"})
    quietly(client, job, default_country="US")
    check(client, job, identifier="phone", action="append")
    return job


def test_a_mapping_for_the_same_headers_is_offered_named_and_used():
    cara, ben = log_in("Creator", name="Cara"), log_in("Creator", name="Ben")
    used = earlier(cara)
    job = draft(ben)
    page = shown(ben, job)
    assert "April leads" in page
    assert "Cara" in page
    page = send(ben, job, remembered=str(used.pk)).content.decode()
    assert "The mapping and settings of “April leads” were applied." in page
    assert 'name="remembered"' not in page
    job.refresh_from_db()
    assert (job.identifier, job.action, job.options) == ("phone", "append", {"default_country": "US"})
    assert goes_to(job)["plan"] == ("attribute", "labels")
    assert not job.columns.filter(suggested=True).exists()


def test_it_is_put_away_for_this_import_only():
    creator = log_in("Creator")
    earlier(creator)
    job = draft(creator)
    send(creator, job, remembered="no")
    assert "April leads" not in shown(creator, job)
    assert "April leads" in shown(creator, draft(creator))


def test_what_left_the_schema_meanwhile_stays_as_it_is_suggested():
    Attribute.objects.create(key="tier", label="Tier", type="text")
    creator = log_in("Creator")
    used = draft(creator)
    quietly(creator, used, column="3", **{"target-3": "attribute:tier"})
    check(creator, used)
    Attribute.objects.filter(key="tier").delete()
    job = draft(creator)
    send(creator, job, remembered=str(used.pk))
    assert goes_to(job)["plan"] == ("new", "plan")


@pytest.mark.parametrize("content", ["email,mobile\na@x.co,+1555123\n", "email,mobile,plans\na@x.co,+1555123,x\n"])
def test_other_headers_are_offered_nothing(content: str):
    creator = log_in("Creator")
    used = earlier(creator)
    job = draft(creator, content)
    assert "April leads" not in shown(creator, job)
    assert "not there any more" in send(creator, job, remembered=str(used.pk)).content.decode()
    assert not goes_to(job).get("plan")


def test_a_mapping_that_was_never_checked_is_not_offered():
    creator = log_in("Creator")
    draft(creator)
    assert 'name="remembered"' not in shown(creator, draft(creator))


# --- the job has moved on -------------------------------------------------------------------------


@pytest.mark.parametrize("quiet", [True, False])
def test_a_choice_for_an_import_that_has_moved_on_is_refused_with_the_way_on(quiet: bool):
    admin = log_in("Admin")
    job = draft(admin)
    check(admin, job)
    job.refresh_from_db()
    lifecycle.transition(job, Transition.START, transitions.Actor.command())
    answer = quietly(admin, job, action="replace") if quiet else send(admin, job, action="replace", save="1")
    assert "its settings can no longer be changed" in answer.content.decode()
    assert answer.status_code == (409 if quiet else 200)
    assert address("change", job) in (answer.content.decode() if quiet else answer.redirect_chain[-1][0])
    job.refresh_from_db()
    assert (job.action, job.status) == ("update", Status.PENDING)


def test_a_choice_for_a_deleted_import_is_not_found():
    creator = log_in("Creator")
    job = draft(creator)
    place = address("configure", job)
    job.delete()
    assert creator.post(place, {"quiet": "1", "action": "append"}).status_code == 404


def test_a_removed_role_saves_nothing():
    creator = log_in("Creator")
    job = draft(creator)
    get_user_model().objects.get().groups.clear()
    assert quietly(creator, job, action="append").status_code == 403
    assert send(creator, job, remembered="no").status_code == 403
    job.refresh_from_db()
    assert (job.action, job.remembered) == ("", "")


def test_an_ended_session_is_asked_to_log_in():
    creator = log_in("Creator")
    job = draft(creator)
    creator.logout()
    assert reverse("admin:login") in quietly(creator, job, action="append")["Location"]


@pytest.mark.parametrize("sent", [{"action": "replace"}, {"remembered": "no"}, {"encoding": "cp1252"}])
def test_anothers_import_is_not_changed(sent: dict[str, str]):
    owner, other = log_in("Creator", name="owner"), log_in("Creator", name="other")
    job = draft(owner)
    assert send(other, job, **sent).status_code == 403
    assert (job.transitions.count(), ImportJob.objects.get().action) == (1, "")


# --- large and odd files --------------------------------------------------------------------------


def test_a_page_of_a_thousand_columns_is_small_and_needs_few_queries():
    Attribute.objects.bulk_create(
        Attribute(key=f"own {number}", label=f"Own attribute {number}", type="text") for number in range(300)
    )
    creator = log_in("Creator")
    header, cells = ["email", *(f"c{n}" for n in range(999))], ["a@x.co", "x" * 10_000, *["y" * 1_900] * 998]
    job = draft(creator, f"{','.join(header)}\n{','.join(cells)}\n")
    ImportColumn.objects.filter(job=job, position=700).update(target_kind="undecided", target="")
    with CaptureQueriesContext(connection) as queries:
        page = shown(creator, job)
    assert len(queries) <= 15
    assert len(page) < 1_000_000
    assert page.index('name="target-700"') < page.index('name="target-1"')  # undecided ones first
    assert page.count('class="target"') == 50
    assert page.count("own 299") == 1
    with CaptureQueriesContext(connection) as queries:
        quietly(creator, job, column="700", here=",".join(map(str, range(1, 51))), **{"target-700": "skip"})
    assert len(queries) <= 20
    assert "No column is undecided" in shown(creator, job, "?show=undecided")


def test_hostile_names_and_values_are_shown_harmlessly_on_the_page_and_in_what_is_saved():
    Attribute.objects.create(key="<i>k</i>", label='"><script>alert(3)</script>', type="text")
    creator = log_in("Creator")
    header = '<script>alert(1)</script>,"a\nb",👩‍👩‍👧,שלום,"""><img src=x onerror=alert(2)>"'
    job = draft(creator, f"email,{header}\na@x.co,<b>,=1+1,👍,مرحبا,x\n")
    quietly(creator, job, name="<script>alert(4)</script>")
    for column in job.columns.exclude(position=1):
        quietly(creator, job, column=str(column.position), **{f"target-{column.position}": "attribute:age"})
    for text in (shown(creator, job), quietly(creator, job, here="1,2,3,4,5,6").content.decode()):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "Several columns are mapped to age" in text


@pytest.mark.parametrize(
    ("content", "reason"), [("email,a,a\nx,1,2\n", "the same header"), ("email,\nx,1\n", "no header")]
)
def test_repeated_and_blank_headers_are_refused_when_the_file_comes_in(content: str, reason: str):
    answer = upload(log_in("Creator"), content.encode())
    assert any(reason in error for error in answer.context["form"].errors["file"])


def test_what_is_found_is_told_once_and_as_the_columns_are_mapped_now():
    creator = log_in("Creator")
    job = draft(creator, "email,plan\na@x.co,1\nb@x.co,gold\n")
    assert shown(creator, job).count("values of mixed types") == 1
    check(creator, job)
    assert shown(creator, job).count("values of mixed types") == 1
    send(creator, job, **{"column": "2", "target-2": "skip"})
    assert shown(creator, job).count("values of mixed types") == 0
    events = "email,name,time,plan\na@x.co,Bought,2024-01-01T00:00:00Z,gold\n"
    upload(creator, events.encode(), record_type="events")
    assert shown(creator, ImportJob.objects.latest("pk")).count("plan is skipped") == 1
    looks_like = draft(creator, "email,time,Bought.properties.item\na@x.co,2024-01-01T00:00:00Z,hat\n")
    assert shown(creator, looks_like).count("looks like an event file") == 1


# --- a mapping as a file --------------------------------------------------------------------------


def fill_in(client: Client, job: ImportJob, content: bytes | str) -> str:
    text = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("mapping.json", text)
    answer = client.post(address("configure", job), {"fill_in": "1", "mapping": file}, follow=True)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def manifest_of(**columns: Any) -> str:
    return json.dumps({"columns": columns})


def test_mp_09_a_mapping_is_filled_in_from_a_manifest_and_used():
    creator = log_in("Creator")
    job = draft(creator, "email,mobile,plan,since,visits\nann@x.co,x,gold,25/12/2023,7\n")
    said = manifest_of(
        mobile={"ctName": None},
        plan={"ctName": "tier", "dataType": "string"},
        since={"ctName": "member since", "dataType": "Date", "dateFormat": "dd/MM/yyyy"},
        visits={"ctName": "visits", "dataType": "FLOAT"},
    )
    assert "4 columns mapped by the mapping file." in fill_in(creator, job, said)
    assert goes_to(job) == {
        "email": ("attribute", "email"), "mobile": ("skip", ""), "plan": ("new", "tier"),
        "since": ("new", "member since"), "visits": ("new", "visits"),
    }  # fmt: skip
    quietly(creator, job, iso_dates="False")
    check(creator, job)
    job.refresh_from_db()
    assert (job.preview["imported"], job.preview["failed"]) == (1, 0)
    assert list(job.columns.values_list("type", flat=True))[2:] == ["text", "datetime", "number"]
    assert "2023-12-25" in creator.get(address("change", job)).content.decode()


def test_mp_09_a_mapping_that_is_downloaded_fills_in_another_import():
    creator = log_in("Creator")
    text = 'email,mobile,"plan ""x""",at <dd/MM/yyyy>,day\nann@x.co,x,gold,25/12/2023,25/12/2023\n'
    first = draft(creator, text)
    day = {"ctName": "day", "dataType": "Date", "dateFormat": "dd/MM/yyyy"}
    plan = {"ctName": "link", "dataType": "url"}
    fill_in(creator, first, manifest_of(mobile={"ctName": None}, day=day, **{'plan "x"': plan}))
    answer = creator.get(address("mapping", first))
    assert 'filename="peoplecsv-' in answer["Content-Disposition"]
    said = json.loads(answer.content)["columns"]
    assert said["mobile"] == {"ctName": None}
    assert (said["day"], said['plan "x"']) == (day, plan)
    assert said["at <dd/MM/yyyy>"] == {"ctName": "at", "dataType": "Date"}
    second = draft(creator, text)
    fill_in(creator, second, answer.content)
    values = ("target_kind", "target", "type", "date_format")
    assert list(second.columns.values_list(*values)) == list(first.columns.values_list(*values))


def test_mp_09_a_date_format_that_is_said_stays_whatever_is_read_again():
    Attribute.objects.create(key="day", label="Day", type="datetime")
    creator = log_in("Creator")
    job = draft(creator, "email,day,at <dd/MM/yyyy>\nann@x.co,01/02/2024,01/02/2024\n")
    day = {"ctName": "day", "dataType": "Date", "dateFormat": "dd/MM/yyyy"}
    at = {"ctName": "at", "dataType": "Date", "dateFormat": "MM/dd/yyyy"}
    fill_in(creator, job, manifest_of(day=day, at=at))

    def formats() -> list[str]:
        return list(job.columns.values_list("date_format", flat=True))

    assert formats() == ["", "dd/MM/yyyy", "MM/dd/yyyy"]
    send(creator, job, iso_dates="False")
    assert formats() == ["", "dd/MM/yyyy", "MM/dd/yyyy"]
    send(creator, job, encoding="cp1252")
    assert formats() == ["", "dd/MM/yyyy", "MM/dd/yyyy"]
    send(creator, job, preset="braze")
    assert formats() == ["", "dd/MM/yyyy", "MM/dd/yyyy"]
    said = json.loads(creator.get(address("mapping", job)).content)["columns"]
    assert (said["day"], said["at <dd/MM/yyyy>"]) == (day, at)


def test_mp_09_a_mapping_that_is_downloaded_is_taken_though_its_date_became_text():
    creator = log_in("Creator")
    job = draft(creator, "email,day\nann@x.co,01/02/2024\n")
    fill_in(creator, job, manifest_of(day={"ctName": "day", "dataType": "Date", "dateFormat": "dd/MM/yyyy"}))
    send(creator, job, **{"column": "2", "target-2": "new", "key-2": "day", "type-2": "text"})
    said = creator.get(address("mapping", job)).content
    assert json.loads(said)["columns"]["day"] == {"ctName": "day", "dataType": "STRING"}
    assert "mapped by the mapping file" in fill_in(creator, job, said)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The mapping is not JSON: Expecting value at line 1, column 1"),
        (b'{"columns":\n {"plan" {}}}', "at line 2, column 10"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"columns": ' + b"9" * 5_000 + b"}", "a number in it is too long"),
        (b"[]", "The mapping has no columns."),
        (b'{"columns": []}', "The mapping has no columns."),
        (b'{"columns": {"plan": 1}}', "Column plan must be an object"),
        (b'{"columns": {"plan": {}}}', "Column plan has no ctName"),
        (b'{"columns": {"plan": {"ctName": 5}}}', "Column plan has no ctName"),
        (b'{"columns": {"plan": {"ctName": "a\\u0000"}}}', "has a NUL"),
        (manifest_of(plan={"ctName": "x" * 121}), "longer than 120 bytes"),
        (manifest_of(plan={"ctName": "a", "dataTyp": "STRING"}), "Column plan has dataTyp, which is not known"),
        (manifest_of(plan={"ctName": "a", "dataType": "DATE TIME"}), 'The dataType "DATE TIME" of column plan'),
        (manifest_of(plan={"ctName": "a", "dataType": ["x"]}), "It is one of STRING, INTEGER, FLOAT, BOOLEAN, Date"),
        (manifest_of(plan={"ctName": "a", "dataType": "Date", "dateFormat": "DD/MM"}), 'The dateFormat "DD/MM"'),
        (manifest_of(plan={"ctName": "a", "dataType": "Date", "dateFormat": ["dd/MM/yyyy"]}), "The dateFormat ["),
        (manifest_of(plan={"ctName": "a", "dateFormat": "dd/MM/yyyy"}), "its dataType must be Date"),
        (manifest_of(plan={"ctName": "\ud800"}), "The mapping has half of a character"),
        (manifest_of(**{"pl\udc00an": {"ctName": "a"}}), "The mapping has half of a character"),
        (b'{"columns": {"plan": {"ctName": "a"}, "plan": {"ctName": "b"}}}', "names column plan twice"),
        (manifest_of(plna={"ctName": "a"}), "The file has no column plna, did you mean plan?"),
        (manifest_of(plan={"ctName": "x"}, mobile={"ctName": "x"}), "Several columns have the ctName x"),
        (manifest_of(plan={"ctName": "age", "dataType": "STRING"}), "age, which has dataType INTEGER"),
        (b" " * (1024**2 + 1), "the limit is 1 MB"),
    ],
)  # fmt: skip
def test_mp_09_what_is_wrong_with_a_mapping_is_told_and_nothing_is_changed(content: bytes | str, told: str):
    creator = log_in("Creator")
    job = draft(creator)
    before = goes_to(job)
    assert told in fill_in(creator, job, content)
    assert goes_to(job) == before


def test_mp_09_without_a_file_one_is_asked_for():
    creator = log_in("Creator")
    job = draft(creator)
    assert "Choose a JSON mapping file first" in send(creator, job, fill_in="1").content.decode()
