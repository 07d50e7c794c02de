"""The help page says all that the code defines, and only that (FQ-01 to FQ-11)."""

from __future__ import annotations

from dataclasses import fields
from html import unescape

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from imports.drafts import help_texts
from imports.files.errors import Limits
from imports.jobs.transitions import TRANSITIONS, Role, Transition
from imports.mapping import examples, guidance
from imports.models import ImportJob
from imports.presets import PRESETS, Options
from imports.states import Status
from profiles.merging.actions import Action
from profiles.merging.rules import MAX_CUSTOM_ATTRIBUTES, Outcome
from profiles.models import Attribute, load_schema
from profiles.values import parsers
from profiles.values.dates import KNOWN_FORMATS
from profiles.values.types import ValueOptions, ValueType
from tests.admin.screens import UPLOAD, address, check, log_in, upload

pytestmark = pytest.mark.django_db

HELP = "admin:imports_importjob_help"


@pytest.fixture
def text() -> str:
    return unescape(log_in("Creator").get(reverse(HELP)).content.decode())


@pytest.mark.parametrize("role", ["Admin", "Creator", "Approver"])
def test_the_three_roles_may_read_it(role: str):
    assert log_in(role).get(reverse(HELP)).status_code == 200


def test_nobody_else_may():
    assert log_in().get(reverse(HELP)).status_code == 403
    assert "/login/" in Client().get(reverse(HELP))["Location"]


def test_each_type_is_there_with_examples_that_can_be_imported(text: str):
    assert set(examples.TYPES) == set(ValueType)
    for kind, look in examples.TYPES.items():
        assert kind.value.replace("_", " ") in text
        assert look.says in text
        parse = parsers.parser(kind, ValueOptions())
        for example in look.examples:
            assert example in text
        for example in (*look.examples, *look.others):
            parse(example)


def test_examples_of_built_in_attributes_can_be_imported():
    known = load_schema().definitions
    for key, found in examples.ATTRIBUTES.items():
        parse = parsers.parser(known[key].type, ValueOptions())
        assert all(parse(text) for text in found)


def test_each_limit_is_there_with_its_number(text: str):
    assert set(help_texts.LIMITS) == {each.name for each in fields(Limits) if each.type is int}
    for name in help_texts.LIMITS.values():
        assert name in text
    for number in (
        f"{settings.IMPORTS_MAX_MB} MB", f"{Limits.max_columns:,}", f"{Limits.max_xlsx_rows:,}", "120 bytes",
        f"{ValueOptions().max_bytes} bytes", f">{MAX_CUSTOM_ATTRIBUTES}<",
        f">{settings.IMPORTS_MAX_IDENTIFIER_VALUES}<",
    ):  # fmt: skip
        assert number in text


@override_settings(IMPORTS_MAX_MB=7, IMPORTS_MAX_IDENTIFIER_VALUES=3)
def test_limits_are_those_of_the_site():
    text = log_in("Creator").get(reverse(HELP)).content.decode()
    assert ">7 MB<" in text
    assert ">3<" in text


def test_each_action_and_identifier_is_there(text: str):  # AC-17, HI-33
    assert set(guidance.ACTIONS) == set(Action)
    for action, says in guidance.ACTIONS.items():
        assert action.label in text
        assert says in text
    for says in guidance.identifiers(load_schema()).values():
        assert says in text


def test_each_preset_is_there_with_each_of_its_options(text: str):
    assert set(help_texts.OPTIONS) == {each.name for each in fields(Options)}
    for preset in PRESETS.values():
        assert f'<th scope="col">{preset.label}</th>' in text
        assert preset.says in text
        assert preset.no_events_reason in text
        for name in help_texts.OPTIONS.values():
            assert name in text
        for value in preset.options.to_json().values():
            shown = help_texts.OPTION_VALUES.get(str(value))
            assert shown or isinstance(value, int) or ":" in value or value == "UTC", f"no words for {value}"


def test_each_outcome_is_there(text: str):
    assert set(help_texts.OUTCOMES) == set(Outcome)
    for outcome, says in help_texts.OUTCOMES.items():
        assert f'<th scope="row">{outcome.value}</th>' in text
        assert says in text
    assert help_texts.NOT_RUN in text


def test_each_status_is_there_with_who_may_do_what(text: str):
    assert set(help_texts.STATUSES) == set(Status)
    assert set(help_texts.TRANSITIONS) == set(Transition) == set(TRANSITIONS)
    reached = {Status.DRAFT, *(rule.target for rule in TRANSITIONS.values())}
    for status in reached:
        assert f'<th scope="row">{status.label}</th>' in text
        assert help_texts.STATUSES[status] in text
    for transition, rule in TRANSITIONS.items():
        assert f"<li>{help_texts.TRANSITIONS[transition]} → {rule.target.label}</li>" in text
    ready = text[text.index('<th scope="row">Ready</th>') : text.index('<th scope="row">Awaiting approval</th>')]
    assert f"<p>{Role.ACTOR}:</p>" in ready
    assert f"<p>{Role.APPROVER}:</p>" not in ready


@pytest.mark.parametrize("policy", ["creators", "always", "never"])
def test_the_policy_of_approval_is_told(policy: str):
    with override_settings(IMPORTS_APPROVAL=policy):
        assert help_texts.APPROVAL[policy] in log_in("Approver").get(reverse(HELP)).content.decode()


def test_each_date_format_is_there(text: str):
    for known in KNOWN_FORMATS:
        assert f"<code>{known}</code>" in text


def test_mandatory_attributes_are_named():
    Attribute.objects.filter(key="first_name").update(mandatory=True)
    assert "<strong>first_name</strong>" in log_in("Creator").get(reverse(HELP)).content.decode()


def test_own_identifiers_are_shown_harmlessly():
    Attribute.objects.create(key="<script>", label="<script>alert(1)</script>", type="text", identifier=True)
    page = log_in("Creator").get(reverse(HELP)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_each_screen_leads_to_the_right_place():
    creator = log_in("Creator")
    upload(creator)
    job = ImportJob.objects.get()
    help_page = reverse(HELP)
    assert f'href="{help_page}#files"' in creator.get(reverse(UPLOAD)).content.decode()
    assert f'href="{help_page}#columns"' in creator.get(address("configure", job)).content.decode()
    check(creator, job)
    assert f'href="{help_page}#outcomes"' in creator.get(address("change", job)).content.decode()
    page = creator.get(help_page).content.decode()
    for section in ("files", "samples", "columns", "identifiers", "actions", "outcomes", "statuses", "questions"):
        assert f'<section class="module" id="{section}"' in page


def test_it_needs_few_queries():
    client = log_in("Creator")
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(HELP))
    assert len(queries) <= 15
