"""Advice on the choice of an identifier and an action: one phrase for each (HI-33, AC-17). Data only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imports.mapping.column_mapping import AUTOMATIC
from profiles.merging.actions import Action
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, OWN_IDENTIFIERS, Schema

_SOCIAL = "people on {label}, by their name or ID there"
_OWN = "files with {label}"

IDENTIFIERS: Mapping[str, str] = {
    AUTOMATIC: "mixed files: the first that a row fills in of External ID, Object ID, Alias, Email, Phone Number",
    EXTERNAL_ID: "files of your own system, by the ID that it gives to each person",
    OBJECT_ID: "people exported from here, by the ID that this system created; an unknown ID never creates a person",
    ALIAS: "people without an External ID, by a label and a name that is unique under this label",
    "email": "mailing lists and newsletters",
    "phone": "SMS and calls; spaces, dashes and a leading + make no difference",
    "whatsapp": "WhatsApp numbers",
    "web": "visitors of a website, by the ID that its tracking gives them",
    "voice": "callers of a voice channel",
}
"""The files or people that each identifier suits."""

ACTIONS: Mapping[Action, str] = {
    Action.IGNORE: "the safest: existing people stay unchanged, only new people are created",
    Action.UPDATE: "fills in empty values, keeps existing ones",
    Action.APPEND: "adds e-mail addresses, phone numbers and handles to their lists; single values are replaced",
    Action.OVERWRITE: "each value of the file replaces the existing one; blank cells change nothing",
    Action.REPLACE: "use with caution: also clears all values that the file does not contain; keep a backup",
}
"""What each action does to existing people. New people are created whatever the action."""


def identifiers(schema: Schema) -> dict[str, str]:
    """Return all identifiers that people can be matched by, with the files or people they suit."""
    found = {key: IDENTIFIERS[key] for key in (AUTOMATIC, *OWN_IDENTIFIERS)}
    for key in schema.lookup_identifiers:
        definition = schema.definitions[key]
        other = _SOCIAL if definition.built_in else _OWN
        found[key] = IDENTIFIERS.get(key) or other.format(label=definition.label)
    return found


def identifier_group(key: str, schema: Schema) -> str:
    """Return the heading of the group in which an identifier is listed (HI-29)."""
    definition = schema.definitions.get(key)
    if definition is None:
        return "IDs"
    if not definition.built_in:
        return "Custom attributes"
    return "E-mail and phone" if key in ("email", "phone") else "Channels"


def actions(offered: Iterable[Action]) -> dict[str, str]:
    """Return the offered actions, with what each does to existing people."""
    return {action.value: ACTIONS[action] for action in offered}
