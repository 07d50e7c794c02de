"""Presets: bundles of options, one per system that files come from (requirements section 3, D-01). Data only.

No rule depends on the preset itself; each reads an option. ``ImportJob.options`` holds the options that the user
changed from the preset.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from profiles.merging.actions import Action
from profiles.values.types import GENDERS, PhoneFormat, ValueOptions

MEGABYTE = 1024**2
SESSION_DATES = frozenset({"date_of_first_session", "date_of_last_session"})


class OnInvalid(enum.StrEnum):
    """Effect of an invalid value (D-17)."""

    FAIL_ROW = "fail_row"
    DROP_VALUE = "drop_value"


class UnknownColumns(enum.StrEnum):
    """Effect of a column that matches no attribute (D-18)."""

    SUGGEST = "suggest"
    CREATE = "create"
    REQUIRE_MAPPING = "require_mapping"


class ForbiddenCharacters(enum.StrEnum):
    """Effect of a forbidden character in a header (HI-06, D-12)."""

    WARN = "warn"
    REJECT = "reject"
    ALLOW = "allow"


class HeaderCase(enum.StrEnum):
    """Which headers match built-in attributes and own fields (HI-02, HI-37).

    ``ALIKE``: any similar spelling. ``IDENTIFIERS_EXACT``: the exact spelling of identifiers, a similar one of others.
    ``EXACT``: the exact spelling only; other columns become custom attributes.
    """

    ALIKE = "alike"
    IDENTIFIERS_EXACT = "identifiers_exact"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a preset, which a job can change.

    ``bracket_dates``: accept CleverTap's notations of dates, a format in the header and ``$D_<seconds>``.
    ``iso_dates``: accept ISO 8601; ``exact_session_dates`` limits session dates to four forms of it.
    ``other_dates_stay_text``: keep an invalid date of an attribute as text, even if its header declares no format.
    ``time_zone``: of times without one; blank for that of the site. ``genders``: the accepted letters. ``csv_only``:
    accept only CSV with commas, in UTF-8.
    """

    on_invalid_value: OnInvalid = OnInvalid.FAIL_ROW
    unknown_columns: UnknownColumns = UnknownColumns.SUGGEST
    enforce_mandatory: bool = True
    forbidden_characters: ForbiddenCharacters = ForbiddenCharacters.WARN
    header_case: HeaderCase = HeaderCase.ALIKE
    identifier_first: bool = False
    refuse_placeholders: bool = False
    alias_with_external_id: bool = False
    phone_format: PhoneFormat = PhoneFormat.ANY
    default_country: str = ""
    bracket_dates: bool = True
    iso_dates: bool = True
    exact_session_dates: bool = False
    other_dates_stay_text: bool = False
    time_zone: str = ""
    default_time: str = "12:00:00"
    genders: str = GENDERS
    exact_states: bool = False
    published_codes: bool = False
    csv_only: bool = False
    max_megabytes: int = 500
    max_event_megabytes: int = 50
    data_points: bool = False
    event_name: str = ""

    @property
    def values(self) -> ValueOptions:
        """The options for reading values."""
        return ValueOptions(
            phone_format=self.phone_format,
            default_country=self.default_country or None,
            time_zone=self.time_zone or "UTC",
            default_time=self.default_time,
            iso_dates=self.iso_dates,
            marked_seconds=self.bracket_dates,
            genders=self.genders,
            exact_states=self.exact_states,
        )

    def values_of(self, key: str) -> ValueOptions:
        """Return the options for the values of one attribute: some dates are limited to fewer forms (DT-12)."""
        return replace(self.values, strict_iso_shapes=self.exact_session_dates and key in SESSION_DATES)

    def changed(self, chosen: Mapping[str, Any]) -> Options:
        """Return these options with the choices of a job, whose values may be text from a form.

        Raises ``KeyError`` for an unknown option and ``ValueError`` for an invalid value.
        """
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        return replace(self, **{name: _value(kinds[name], value) for name, value in chosen.items()})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _value(kind: type, chosen: Any) -> Any:
    if kind is not bool or isinstance(chosen, bool):
        return kind(chosen)
    if str(chosen) not in ("True", "False"):  # bool() of any text but an empty one is true
        raise ValueError(f"{chosen!r} is neither True nor False")
    return str(chosen) == "True"


@dataclass(frozen=True, slots=True)
class Preset:
    """A way of importing, named after the system whose files it suits.

    ``says``: when to use it. ``headers``: the system's headers by key, where they differ from the key.
    ``signature_headers``: headers that are typical of its files. ``identifiers``: keys that people can be matched by;
    None for all, ``CHANNELS`` for the channel identifiers of the schema. ``events``: whether its files can hold events;
    ``no_events_reason``: what to do instead if they cannot.
    """

    key: str
    label: str
    options: Options
    says: str
    headers: Mapping[str, str] = field(default_factory=dict)
    signature_headers: frozenset[str] = frozenset()
    actions: tuple[Action, ...] = tuple(Action)
    default_action: Action | None = None
    identifiers: tuple[str, ...] | None = None
    events: bool = True
    no_events_reason: str = ""

    def spelling(self, key: str) -> str:
        """Return the header of an own field or an attribute in files of the system."""
        return self.headers.get(key, key)


CHANNELS = ("channels",)
"""Every channel identifier of the schema, and no other."""

STANDARD = Preset(
    "standard",
    "Standard",
    Options(),
    "Any CSV file or Excel workbook. Headers match in any common spelling; you choose the identifier and the action.",
)

CLEVERTAP = Preset(
    "clevertap",
    "CleverTap CSV upload",
    Options(
        unknown_columns=UnknownColumns.CREATE,
        enforce_mandatory=False,
        forbidden_characters=ForbiddenCharacters.REJECT,
        header_case=HeaderCase.IDENTIFIERS_EXACT,
        identifier_first=True,
        refuse_placeholders=True,
        phone_format=PhoneFormat.DIGITS,
        iso_dates=False,
        other_dates_stay_text=True,
        genders="MF",
        published_codes=True,
        csv_only=True,
        max_megabytes=50,
    ),
    says="A CSV file with identity or objectId as first column. Values are overwritten; new columns become attributes.",
    headers={
        "external_id": "identity",
        "object_id": "objectId",
        "name": "Name",
        "email": "Email",
        "phone": "Phone",
        "gender": "Gender",
        "dob": "DOB",
        "age": "Age",
        "employed": "Employed",
        "education": "Education",
        "married": "Married",
        "time_zone": "Tz",
        "facebook": "FBID",
        "gpid": "GPID",
        "email_subscribe": "MSG-email",
        "sms_subscribe": "MSG-sms",
        "push_subscribe": "MSG-push",
        "whatsapp_subscribe": "MSG-whatsapp",
        "dnd_email": "MSG-dndEmail",
        "dnd_phone": "MSG-dndPhone",
    },
    signature_headers=frozenset(
        {"identity", "objectId", "MSG-email", "MSG-sms", "MSG-push", "MSG-whatsapp", "FBID", "GPID"}
    ),
    default_action=Action.OVERWRITE,
    identifiers=("external_id", "object_id"),
    events=False,
    no_events_reason=(
        "CleverTap accepts no events in CSV uploads. Send them through the API or by script, or choose Standard."
    ),
)

EXPERTFLOW = Preset(
    "expertflow",
    "Expertflow bulk upload",
    Options(
        unknown_columns=UnknownColumns.REQUIRE_MAPPING,
        forbidden_characters=ForbiddenCharacters.ALLOW,
        alias_with_external_id=True,
        phone_format=PhoneFormat.PLUS,
        bracket_dates=False,
        csv_only=True,
    ),
    says="A CSV file of customers, matched by a channel such as phoneNumber or email. You map all unknown columns.",
    headers={"first_name": "firstName", "last_name": "lastName", "phone": "phoneNumber", "home_city": "city"},
    signature_headers=frozenset({"firstName", "lastName", "phoneNumber"}),
    actions=(Action.IGNORE, Action.REPLACE, Action.UPDATE, Action.APPEND),
    identifiers=CHANNELS,
    events=False,
    no_events_reason="Expertflow's bulk upload accepts customers only. For events choose Standard or Braze.",
)

BRAZE = Preset(
    "braze",
    "Braze user import",
    Options(
        on_invalid_value=OnInvalid.DROP_VALUE,
        unknown_columns=UnknownColumns.CREATE,
        enforce_mandatory=False,
        forbidden_characters=ForbiddenCharacters.ALLOW,
        header_case=HeaderCase.EXACT,
        phone_format=PhoneFormat.E164,
        bracket_dates=False,
        exact_session_dates=True,
        time_zone="UTC",
        default_time="00:00:00",
        exact_states=True,
        csv_only=True,
        data_points=True,
    ),
    says="A CSV file of attributes or events. Headers must match exactly; invalid values are left out of their rows.",
    headers={"object_id": "braze_id", "alias_name": "user_alias_name", "alias_label": "user_alias_label"},
    signature_headers=frozenset({"external_id", "braze_id", "Appboy ID", "user_alias_name", "user_alias_label"}),
    default_action=Action.OVERWRITE,
    identifiers=("automatic", "external_id", "object_id", "alias", "email", "phone"),
)

PRESETS: Mapping[str, Preset] = {preset.key: preset for preset in [STANDARD, CLEVERTAP, EXPERTFLOW, BRAZE]}
