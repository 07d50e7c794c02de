"""What a person should know to choose: one sentence for each identifier and each action (HI-33, AC-17). Data only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imports.mapping.column_mapping import AUTOMATIC
from profiles.merging.actions import Action
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, OWN_IDENTIFIERS, Schema

_SOCIAL = "people you meet on {label}, by their name or id there"
_OWN = "files that have {label}"

IDENTIFIERS: Mapping[str, str] = {
    AUTOMATIC: "mixed files: External ID, Object ID, Alias, Email, Phone Number, the first that a row fills in",
    EXTERNAL_ID: "files of your own system: the id that it gives to each person",
    OBJECT_ID: "people exported from here: the id made by this system; unknown ones are never created",
    ALIAS: "people without an External ID: a label and a name that is one person's under this label",
    "email": "mailing lists and newsletters",
    "phone": "SMS and calls; spaces, dashes and a leading + make no difference",
    "whatsapp": "WhatsApp numbers",
    "web": "visitors of a web site, by the id that its tracking gives them",
    "voice": "callers of a voice channel",
}
"""Which identifier suits what."""

ACTIONS: Mapping[Action, str] = {
    Action.IGNORE: "the safest: people already known stay as they are, only new ones are added",
    Action.UPDATE: "fills in what is empty, changes nothing that is filled",
    Action.APPEND: "adds e-mails, phones and handles to their lists; single values take the new value",
    Action.OVERWRITE: "every value of the file takes the place of the old one; blank cells change nothing",
    Action.REPLACE: "with caution: also clears all that the file does not bring; keep a backup",
}
"""What an action does to people who are known already. New people are added whatever the action."""


def identifiers(schema: Schema) -> dict[str, str]:
    """Everything that people can be found by, with what it suits."""
    found = {key: IDENTIFIERS[key] for key in (AUTOMATIC, *OWN_IDENTIFIERS)}
    for key in schema.found_by:
        definition = schema.definitions[key]
        other = _SOCIAL if definition.built_in else _OWN
        found[key] = IDENTIFIERS.get(key) or other.format(label=definition.label)
    return found


def group(key: str, schema: Schema) -> str:
    """What kind of identifier it is (HI-29)."""
    definition = schema.definitions.get(key)
    if definition is None:
        return "Ids"
    if not definition.built_in:
        return "Of your schema"
    return "E-mail and phone" if key in ("email", "phone") else "Channels"


def actions(offered: Iterable[Action]) -> dict[str, str]:
    """The actions offered, with what each does."""
    return {action.value: ACTIONS[action] for action in offered}
