"""Sample files: made from the schema, and imported as they are (FF-12, FF-13, FF-15, FF-21)."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from imports.mapping import guidance, samples
from imports.mapping.column_mapping import Target
from imports.models import ImportJob
from imports.presets import PRESETS, STANDARD, Options
from imports.states import Status
from profiles.models import Attribute, Event, Profile, load_schema
from profiles.schema import Definition, Schema
from profiles.values.types import PhoneFormat, ValueType
from tests.admin.screens import UPLOAD, check, finish, log_in, press, upload

pytestmark = pytest.mark.django_db

SAMPLE = "admin:imports_importjob_sample"


def download(client: Client, **asked: str):
    return client.get(reverse(SAMPLE), asked)


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def run(
    admin: Client, content: bytes, identifier: str, preset: str = STANDARD.key, record_type: str = "profiles"
) -> ImportJob:
    upload(admin, content, preset=preset, record_type=record_type)
    job = ImportJob.objects.latest("pk")
    check(admin, job, identifier, "append" if record_type == "profiles" else "")
    press(admin, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    return job


CUSTOM: list[dict[str, Any]] = [
    *({"key": f"own {kind}", "type": kind} for kind in ValueType),
    {"key": "card", "type": "text", "identifier": True},
    {"key": "other mail", "type": "email", "identifier": True, "multi_valued": True},
    {"key": "other, phone", "type": "phone", "identifier": True},
    {"key": "été 🌻", "type": "text", "mandatory": True},
    {"key": "zzz", "type": "text", "multi_valued": True, "mandatory": True},
]


@pytest.fixture
def own_attributes() -> None:
    Attribute.objects.bulk_create(Attribute(label=values["key"], **values) for values in CUSTOM)


IDENTIFIERS = [
    "automatic", "external_id", "object_id", "alias", "email", "phone", "facebook", "whatsapp", "web", "voice", "card",
    "other mail", "other, phone",
]  # fmt: skip


OFFERED = {
    "standard": IDENTIFIERS,
    "clevertap": ["external_id", "object_id"],
    "expertflow": ["email", "phone", "facebook", "card", "other, phone"],
    "braze": ["automatic", "external_id", "object_id", "alias", "email", "phone"],
}

FIRST = {"automatic": "external_id", "alias": "alias_name"}
"""The first column of a sample by an identifier of several."""


@pytest.mark.usefixtures("own_attributes")
@pytest.mark.parametrize(("preset", "identifier"), [(key, each) for key in PRESETS for each in OFFERED[key]])
def test_a_sample_is_imported_without_any_problem(identifier: str, preset: str):  # SB-01
    admin = log_in("Admin")
    content = download(admin, preset=preset, identifier=identifier).content
    if identifier == "object_id":
        known_by_object_id()
    first = FIRST.get(identifier, identifier)
    assert rows(content)[0][0] == PRESETS[preset].spelling(first)
    for times in range(2):
        job = run(admin, content, identifier, preset)
        added = 0 if times or identifier == "object_id" else samples.ROWS
        assert (job.imported, job.updated, job.failed, job.warnings) == (added, samples.ROWS - added, 0, 0)
    assert not job.columns.exclude(target_kind__in=(Target.FIELD, Target.ATTRIBUTE)).exists()
    assert Profile.objects.count() == samples.ROWS


@pytest.mark.parametrize(
    ("preset", "identifier"),
    [("standard", "alias"), ("standard", "phone"), *(("braze", each) for each in OFFERED["braze"])],
)
def test_a_sample_of_events_is_imported_without_any_problem(identifier: str, preset: str):
    admin = log_in("Admin")
    if identifier == "object_id":
        known_by_object_id()
    content = download(admin, preset=preset, record_type="events", identifier=identifier).content
    job = run(admin, content, identifier, preset, "events")
    assert (job.failed, job.warnings, job.findings, Event.objects.count()) == (0, 0, [], samples.ROWS)
    assert Profile.objects.count() == samples.ROWS


def known_by_object_id() -> None:
    """The people whom the sample is about, since an Object ID has to be somebody's."""
    now = timezone.now()
    Profile.objects.bulk_create(Profile(object_id=f"{n:032x}", created=now, updated=now) for n in range(1, 4))


def test_there_is_a_sample_for_every_identifier():
    admin = log_in("Admin")
    for identifier in guidance.identifiers(load_schema()):
        header = rows(download(admin, identifier=identifier).content)[0]
        assert header[0] == FIRST.get(identifier, identifier)
        assert set(load_schema().definitions) <= set(header)
        assert len(header) == len(set(header))


def test_it_is_a_file_to_keep():
    response = download(log_in("Creator"), identifier="email")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="sample-standard-email.csv"'


def test_the_headers_are_those_of_the_system():
    admin = log_in("Admin")
    header = rows(download(admin, sample="clevertap:profiles:external_id").content)[0]
    assert header[0] == "identity"
    assert {"Name", "Email", "Phone", "Gender", "DOB"} <= set(header)
    header = rows(download(admin, sample="expertflow:profiles:phone").content)[0]
    assert header[0] == "phoneNumber"
    assert {"firstName", "lastName", "email", "city"} <= set(header)
    header = rows(download(admin, sample="braze:profiles:object_id").content)[0]
    assert header[0] == "braze_id"
    assert {"first_name", "home_city", "dob", "email"} <= set(header)


def test_there_is_a_sample_of_events():
    file = download(log_in("Admin"), sample="braze:events:external_id")
    assert file["Content-Disposition"] == 'attachment; filename="sample-braze-events-external_id.csv"'
    header, first, *_ = rows(file.content)
    assert header == [
        "external_id",
        "name",
        "time",
        *(f"trip_booked.properties.{p}" for p in ("destination", "duration")),
    ]
    assert first == ["external_id-1001", "trip_booked", "2019-11-20T18:38:57Z", "Paris", "5"]


def test_characters_that_a_preset_refuses_are_in_no_header_of_it():
    Attribute.objects.create(key="size > 3", label="size", type="text")
    admin = log_in("Admin")
    assert "size > 3" in rows(download(admin, sample="braze:profiles:email").content)[0]
    assert "size > 3" not in rows(download(admin, sample="clevertap:profiles:external_id").content)[0]


def test_what_an_admin_adds_to_the_schema_is_in_the_next_sample():
    admin = log_in("Admin")
    assert "loyaltyTier" not in rows(download(admin).content)[0]
    admin.post(reverse("admin:profiles_attribute_add"), {"key": "loyaltyTier", "type": "integer"})
    header, first, *_ = rows(download(admin).content)
    assert first[header.index("loyaltyTier")] == "12"


@pytest.mark.parametrize("key", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "'=1"])
def test_no_header_is_a_formula(key: str):
    Attribute.objects.create(key=key, label=key, type="text")
    header = rows(download(log_in("Admin")).content)[0]
    assert f"'{key}" in header
    assert key not in header


def test_a_person_gets_no_more_than_one_may_have():
    Attribute.objects.bulk_create(
        Attribute(key=f"own{n}", label=f"own{n}", type="text", mandatory=n > 290) for n in range(300)
    )
    admin = log_in("Admin")
    content = download(admin, identifier="email").content
    assert run(admin, content, "email").failed == 0


def test_a_file_has_no_more_columns_than_one_may_have():
    many = Schema.of(Definition(f"own{n}", f"own{n}", ValueType.TEXT) for n in range(1200))
    assert len(samples.build_people_sample(many, STANDARD, "external_id", Options()).splitlines()[0].split(",")) == 1000


def test_phones_are_such_as_the_preset_takes():
    def phone(phone_format: PhoneFormat) -> str:
        text = samples.build_people_sample(load_schema(), STANDARD, "phone", Options(phone_format=phone_format))
        return text.splitlines()[1].split(",")[0]

    assert phone(PhoneFormat.ANY) == phone(PhoneFormat.E164) == "+14155550101"
    assert phone(PhoneFormat.DIGITS) == "14155550101"


@override_settings(IMPORTS_DEFAULT_COUNTRY="US")
def test_a_country_of_the_site_makes_no_difference():
    admin = log_in("Admin")
    assert run(admin, download(admin, identifier="phone").content, "phone").failed == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"preset": "nothing"},
        {"identifier": "home_city"},
        {"identifier": "\0"},
        {"preset": "clevertap", "identifier": "email"},
        {"preset": "expertflow", "record_type": "events"},
        {"sample": "braze:events:facebook"},
        {"sample": ":::"},
        {"record_type": "things"},
    ],
)
def test_a_sample_that_is_not_there_is_told(asked: dict[str, str]):
    client = log_in("Creator")
    page = client.get(reverse(SAMPLE), asked, follow=True)
    assert "There is no such sample" in page.content.decode()


@pytest.mark.parametrize("role", ["Admin", "Creator", "Approver"])
def test_the_three_roles_may_have_it(role: str):
    assert download(log_in(role)).status_code == 200


def test_nobody_else_may():
    assert download(log_in()).status_code == 403
    assert "/login/" in download(Client())["Location"]


def test_the_upload_screen_offers_it():  # FF-14
    page = log_in("Creator").get(reverse(UPLOAD)).content.decode()
    assert f'action="{reverse(SAMPLE)}"' in page
    assert '<option value="standard:profiles:email" selected>Standard: Customers by Email</option>' in page
    assert (
        '<option value="clevertap:profiles:object_id">CleverTap CSV upload: Customers by Object ID (objectId)</option>'
        in page
    )
    assert '<option value="braze:events:external_id">Braze user import: Custom events by External ID</option>' in page
    assert 'value="clevertap:profiles:email"' not in page
    assert 'value="expertflow:events:' not in page


def test_a_job_with_failed_rows_leads_to_its_sample():
    hint = render_to_string("imports/sample_hint.html", {"job": ImportJob(preset="standard", identifier="a&b /c")})
    assert f'href="{reverse(SAMPLE)}?preset=standard&amp;record_type=profiles&amp;identifier=a%26b%20%2Fc"' in hint
