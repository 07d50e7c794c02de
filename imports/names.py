"""What a spelling means: own fields and attributes by key, by label, and as other systems call them (HI-38)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from profiles.consent import GROUP, GROUP_FIELDS, group_key
from profiles.schema import OWN_FIELDS, Schema

SYNONYMS = {
    "identity": "external_id",
    "objectid": "object_id",
    "brazeid": "object_id",
    "appboyid": "object_id",
    "phonenumber": "phone",
    "mobile": "phone",
    "emailaddress": "email",
    "mail": "email",
    "firstname": "first_name",
    "givenname": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "familyname": "last_name",
    "fullname": "name",
    "birthday": "dob",
    "dateofbirth": "dob",
    "city": "home_city",
    "fbid": "facebook",
    "timezone": "time_zone",
    "tz": "time_zone",
    "msgemail": "email_subscribe",
    "msgsms": "sms_subscribe",
    "msgpush": "push_subscribe",
    "msgwhatsapp": "whatsapp_subscribe",
    "msgdndemail": "dnd_email",
    "msgdndphone": "dnd_phone",
}
"""Spellings of built-in attributes, without case, blanks and punctuation (HI-38)."""


class Names:
    """Finds what a spelling means."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        keys = [*OWN_FIELDS, *GROUP_FIELDS, *schema.definitions]
        self.exact: Mapping[str, str] = {key: key for key in keys}
        self.loose: dict[str, Any] = {}
        for key in reversed(keys):  # built-in ones come first in the schema, and win
            self.loose[plain(key)] = key
        for spelling, key in SYNONYMS.items():
            if key in self.exact:
                self.loose.setdefault(spelling, key)
        for definition in schema.definitions.values():
            self.loose.setdefault(plain(definition.label), definition.key)

    def find(self, name: str, *, exact: bool) -> str | None:
        """The key meant by a name: the same spelling, or one alike, or a numbered one of a list (``phone2``).

        A name that begins with ``group:`` means the subscription group of that id, whether it is known or not (SB-09).
        """
        group_id = name.removeprefix(GROUP).strip()
        if group_id and name.startswith(GROUP):
            return group_key(group_id)
        if exact:
            return self.exact.get(name)
        spelling = plain(name)
        found = self.loose.get(spelling)
        if found is None and (stem := spelling.rstrip("0123456789")) != spelling:
            key = self.loose.get(stem)
            found = key if key and self.holds_many(key) else None
        return found

    def holds_many(self, key: str) -> bool:
        definition = self.schema.definitions.get(key)
        return definition is not None and definition.multi_valued


def plain(name: str) -> str:
    """A spelling without case, blanks and punctuation."""
    return re.sub(r"[\s_\-.]+", "", name).casefold()
