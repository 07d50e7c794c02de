"""Compare the values of a form with the person's values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from profiles.merging import alias
from profiles.merging.actions import Changes, KeyFunction, is_same_json
from profiles.merging.person import Person
from profiles.schema import ALIAS, ALIAS_FIELDS, EXTERNAL_ID, Schema
from profiles.writing.errors import EditRefused, ErrorKind, FormError


def combine_alias(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with the two fields of the alias as one. Raises ``EditRefused`` if one of them is blank (HI-17)."""
    paired = {key: value for key, value in values.items() if key not in ALIAS_FIELDS}
    if paired.keys() == values.keys():
        return paired
    blank = [field for field in ALIAS_FIELDS if values.get(field) is None]
    if len(blank) == 1:
        reason = "An alias needs its label and its name. Fill in both, or leave both empty."
        raise EditRefused(FormError(ErrorKind.MISSING, reason, blank[0]))
    return paired | {ALIAS: None if blank else [values[field] for field in ALIAS_FIELDS]}


def given_values(values: Mapping[str, Any], lists: Mapping[str, KeyFunction]) -> Iterator[tuple[str, Any]]:
    """Yield the values that are not blank; a list has each value once (AT-09)."""
    for key, value in values.items():
        if isinstance(value, list) and key != ALIAS:
            value = _without_repetition(value, lists.get(key, str))
        if value is not None and value != []:
            yield key, value


def alias_form(pair: list[str] | None) -> str | None:
    """Return the matching form of an alias; None for no alias."""
    return None if pair is None else alias.matching_form(pair)


def find_changes(person: Person, values: Mapping[str, Any], schema: Schema) -> Changes:
    """Return the changes from a person's values to those of a form, as a ``Change`` holds them."""
    pair = None if person.alias is None else alias.parse_matching_form(person.alias)
    before = person.values() | {EXTERNAL_ID: person.external_id, ALIAS: pair}
    after = dict(given_values(values, schema.lists))
    return {
        key: [before.get(key), after.get(key)] for key in values if not is_same_json(before.get(key), after.get(key))
    }


def check_mandatory(schema: Schema, after: Mapping[str, Any]) -> None:
    """Raise ``EditRefused`` if a mandatory attribute has no value (AT-03)."""
    missing = [
        FormError(ErrorKind.MISSING, f"Missing mandatory field: {schema.definitions[key].label}", key)
        for key, value in after.items()
        if value is None and key in schema.definitions and schema.definitions[key].mandatory
    ]
    if missing:
        raise EditRefused(*missing)


def _without_repetition(items: list[Any], form: KeyFunction) -> list[Any]:
    by_form: dict[Any, Any] = {}
    for item in items:
        by_form.setdefault(form(item), item)
    return list(by_form.values())
