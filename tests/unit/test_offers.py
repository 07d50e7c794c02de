"""What presets are, and what each offers (requirements sections 2 and 3, D-01, D-05)."""

from __future__ import annotations

import pytest

from imports.mapping import preset_choices
from imports.presets import BRAZE, CLEVERTAP, EXPERTFLOW, PRESETS, STANDARD, OnInvalid, Options, Preset
from profiles.schema import Definition, Schema
from profiles.values.types import PhoneFormat, ValueType
from tests.unit.test_mapping import SCHEMA

OWN = Schema.of(
    [
        *SCHEMA.definitions.values(),
        Definition("card", "Loyalty card", ValueType.TEXT, multi_valued=True, identifier=True),
    ]
)


def test_there_are_four_presets():
    assert list(PRESETS) == ["standard", "clevertap", "expertflow", "braze"]


@pytest.mark.parametrize(
    ("preset", "keys"),
    [
        (STANDARD, {"automatic", "external_id", "object_id", "email", "phone", "facebook", "card"}),
        (CLEVERTAP, {"external_id", "object_id"}),
        (EXPERTFLOW, {"email", "phone", "facebook", "card"}),
        (BRAZE, {"automatic", "external_id", "object_id", "email", "phone"}),
    ],
    ids=lambda each: each.key if isinstance(each, Preset) else "",
)
def test_each_offers_the_identifiers_of_its_system(preset: Preset, keys: set[str]):  # HI-14
    assert set(preset_choices.identifiers(preset, OWN)) - {"alias"} == keys


def test_what_is_not_ready_is_offered_soon_where_it_would_be():
    card = Definition("card", "Loyalty card", ValueType.TEXT, multi_valued=True, identifier=True, indexing=True)
    soon = Schema.of([*SCHEMA.definitions.values(), card])
    assert "card" not in preset_choices.identifiers(STANDARD, soon)
    assert [preset_choices.pending_identifiers(preset, soon) for preset in PRESETS.values()] == [
        ["card"],
        [],
        ["card"],
        [],
    ]
    assert preset_choices.pending_identifiers(STANDARD, OWN) == []


def told(preset: Preset, record_type: str = "profiles", identifier: str = "", action: str = "") -> list[str]:
    return [fault.code for fault in preset_choices.faults(preset, record_type, identifier, action, OWN)]


def test_what_a_preset_does_not_offer_is_a_fault():
    assert told(CLEVERTAP, identifier="external_id", action="replace") == []
    assert told(CLEVERTAP, identifier="email") == ["identifier_not_offered"]
    assert told(EXPERTFLOW, identifier="external_id", action="overwrite") == [
        "identifier_not_offered", "action_not_offered",
    ]  # fmt: skip
    assert told(EXPERTFLOW, "events") == told(CLEVERTAP, "events") == ["record_type"]
    assert told(BRAZE, "events") == told(STANDARD, "events") == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("identity Name", CLEVERTAP), ("objectId Name", CLEVERTAP), ("external_id name", BRAZE), ("braze_id", BRAZE),
        ("user_alias_name user_alias_label", BRAZE), ("firstName phoneNumber email", EXPERTFLOW), ("email plan", None),
        ("Identity Name", None), ("external_id object_id email", None),
    ],
)  # fmt: skip
def test_a_header_row_suggests_a_preset_and_only_another_one(headers: str, expected: Preset | None):
    assert preset_choices.suggest_preset(headers.split(), STANDARD) is expected
    if expected:
        assert preset_choices.suggest_preset(headers.split(), expected) is None


def test_an_option_may_come_as_text_from_a_form():
    chosen = {"iso_dates": "False", "refuse_placeholders": "True", "on_invalid_value": "drop_value",
              "phone_format": "e164", "default_time": "00:00:00"}  # fmt: skip
    found = Options().changed(chosen)
    assert (found.iso_dates, found.refuse_placeholders, found.data_points) == (False, True, False)
    assert (found.on_invalid_value, found.phone_format) == (OnInvalid.DROP_VALUE, PhoneFormat.E164)
    assert found.default_time == "00:00:00"
    assert Options().changed({"iso_dates": False}).iso_dates is False


@pytest.mark.parametrize("wrong", [{"iso_dates": "perhaps"}, {"iso_dates": ""}, {"phone_format": "morse"}])
def test_what_is_no_value_of_an_option_is_refused(wrong: dict[str, str]):
    with pytest.raises(ValueError, match=r"perhaps|''|morse"):
        Options().changed(wrong)


def test_what_is_no_option_is_refused():
    with pytest.raises(KeyError):
        Options().changed({"colour": "red"})
