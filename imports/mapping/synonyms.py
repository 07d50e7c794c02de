"""Resolve names to own fields and attributes: by key, by label, and by the names of other systems (HI-38)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from imports.presets import HeaderCase, Options, UnknownColumns
from profiles.merging.consent import GROUP_FIELDS, GROUP_PREFIX, group_key
from profiles.schema import EXTERNAL_ID, OBJECT_ID, OWN_FIELDS, Schema

SYNONYMS: Mapping[str, str] = {
    "identity": EXTERNAL_ID,
    "objectId": OBJECT_ID,
    "braze_id": OBJECT_ID,
    "Appboy ID": OBJECT_ID,
    "user_alias_name": "alias_name",
    "user_alias_label": "alias_label",
    "phoneNumber": "phone",
    "firstName": "first_name",
    "lastName": "last_name",
    "DOB": "dob",
    "city": "home_city",
    "FBID": "facebook",
    "GPID": "gpid",
    "Tz": "time_zone",
    "MSG-email": "email_subscribe",
    "MSG-sms": "sms_subscribe",
    "MSG-push": "push_subscribe",
    "MSG-whatsapp": "whatsapp_subscribe",
    "MSG-dndEmail": "dnd_email",
    "MSG-dndPhone": "dnd_phone",
}
"""Headers in the spelling that other systems document. Keys that are not in the schema are not resolved."""

GUESSES: Mapping[str, str] = {
    "mobile": "phone",
    "e-mail address": "email",
    "mail": "email",
    "given name": "first_name",
    "surname": "last_name",
    "family name": "last_name",
    "full name": "name",
    "birthday": "dob",
    "date of birth": "dob",
    "timezone": "time_zone",
}
"""Common headers that belong to no system: they are suggested for the user to confirm (MP-02, MP-03)."""

_EXACT = ("braze_id", "Appboy ID", "user_alias_name", "user_alias_label")
"""The synonyms that are valid where headers must match exactly (HI-20, HI-37), in addition to the keys."""


class NameResolver:
    """Resolves names to keys; with a preset's options, as its system does (HI-02, HI-37).

    Without options every spelling is accepted, as for a name that a user enters.
    """

    def __init__(self, schema: Schema, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self.schema = schema
        self.uses_guesses = options.unknown_columns is UnknownColumns.SUGGEST
        keys = [*OWN_FIELDS, *GROUP_FIELDS, *schema.definitions]
        self.exact = {key: key for key in keys} | self._exact_synonyms(options.header_case)
        self.loose = {} if options.header_case is HeaderCase.EXACT else self._normalized(keys)
        if options.header_case is HeaderCase.IDENTIFIERS_EXACT:
            self.loose = {spelling: key for spelling, key in self.loose.items() if key not in OWN_FIELDS}

    def find(self, name: str, *, exact: bool) -> str | None:
        """Return the key for a name: the exact spelling, or a similar one or a numbered one of a list (``phone2``).

        A name that begins with ``group:`` is that of the subscription group with this ID, known or not (SB-09).
        """
        group_id = name.removeprefix(GROUP_PREFIX).strip()
        if group_id and name.startswith(GROUP_PREFIX):
            return group_key(group_id)
        if exact:
            return self.exact.get(name)
        spelling = normalize_name(name)
        found = self.loose.get(spelling)
        if found is None and self.uses_guesses and (stem := spelling.rstrip("0123456789")) != spelling:
            key = self.loose.get(stem)
            found = key if key and self.is_multi_valued(key) else None
        return found

    def is_multi_valued(self, key: str) -> bool:
        definition = self.schema.definitions.get(key)
        return definition is not None and definition.multi_valued

    def _exact_synonyms(self, case: HeaderCase) -> dict[str, str]:
        if case is HeaderCase.EXACT:
            return {spelling: key for spelling in _EXACT if self._is_known(key := SYNONYMS[spelling])}
        if case is HeaderCase.IDENTIFIERS_EXACT:
            return {spelling: key for spelling, key in SYNONYMS.items() if key in OWN_FIELDS}
        return {}

    def _normalized(self, keys: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in reversed(keys):  # built-in ones are first in the schema and take precedence
            found[normalize_name(key)] = key
        for spelling, key in {**SYNONYMS, **(GUESSES if self.uses_guesses else {})}.items():
            if self._is_known(key):
                found.setdefault(normalize_name(spelling), key)
        for definition in self.schema.definitions.values():
            found.setdefault(normalize_name(definition.label), definition.key)
        return found

    def _is_known(self, key: str) -> bool:
        return key in OWN_FIELDS or key in self.schema.definitions


def normalize_name(name: str) -> str:
    """Return a name in lower case, without blanks, hyphens, dots and underscores."""
    return re.sub(r"[\s_\-.]+", "", name).casefold()
