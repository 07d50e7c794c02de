"""What somebody at a form wants a person to be like, against what the person is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from profiles.merging import alias
from profiles.merging.actions import Changes, Form, is_same_json
from profiles.merging.person import Person
from profiles.schema import ALIAS, ALIAS_FIELDS, EXTERNAL_ID, Schema
from profiles.writing.errors import EditRefused, ErrorKind, FormError


def combine_alias(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the alias as one value. Raises ``Refused`` where it is half of one (HI-17)."""
    paired = {key: value for key, value in wanted.items() if key not in ALIAS_FIELDS}
    if paired.keys() == wanted.keys():
        return paired
    blank = [field for field in ALIAS_FIELDS if wanted.get(field) is None]
    if len(blank) == 1:
        reason = "An alias needs its label and its name. Fill in both, or leave both empty."
        raise EditRefused(FormError(ErrorKind.MISSING, reason, blank[0]))
    return paired | {ALIAS: None if blank else [wanted[field] for field in ALIAS_FIELDS]}


def given_values(wanted: Mapping[str, Any], lists: Mapping[str, Form]) -> Iterator[tuple[str, Any]]:
    """Values that are there, each once in a list (AT-09)."""
    for key, value in wanted.items():
        if isinstance(value, list) and key != ALIAS:
            value = _once(value, lists.get(key, str))
        if value is not None and value != []:
            yield key, value


def alias_form(pair: list[str] | None) -> str | None:
    """The matching form of an alias, if it is one."""
    return None if pair is None else alias.form_of(pair)


def find_changes(person: Person, wanted: Mapping[str, Any], schema: Schema) -> Changes:
    """What becomes of the values that are wanted, as a ``Change`` holds it; not of those that stay as they are."""
    pair = None if person.alias is None else alias.pair_of(person.alias)
    before = person.values() | {EXTERNAL_ID: person.external_id, ALIAS: pair}
    after = dict(given_values(wanted, schema.lists))
    return {
        key: [before.get(key), after.get(key)] for key in wanted if not is_same_json(before.get(key), after.get(key))
    }


def check_mandatory(schema: Schema, after: Mapping[str, Any]) -> None:
    """See that no mandatory attribute is left without a value (AT-03). Raises ``Refused``."""
    missing = [
        FormError(ErrorKind.MISSING, f"Missing mandatory field: {schema.definitions[key].label}", key)
        for key, value in after.items()
        if value is None and key in schema.definitions and schema.definitions[key].mandatory
    ]
    if missing:
        raise EditRefused(*missing)


def _once(items: list[Any], form: Form) -> list[Any]:
    found: dict[Any, Any] = {}
    for item in items:
        found.setdefault(form(item), item)
    return list(found.values())
