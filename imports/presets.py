"""Bundles of options, one per system that people come from (requirements section 3, D-01). Data only.

No rule asks which preset it is; each reads its option. ``ImportJob.options`` holds what a person chose to differ.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from profiles.merge import Action
from profiles.values import PhoneFormat, ValueOptions

MEGABYTE = 1024**2


class OnInvalid(enum.StrEnum):
    """What a bad value does (D-17)."""

    FAIL_ROW = "fail_row"
    DROP_VALUE = "drop_value"


class Unknown(enum.StrEnum):
    """What a column becomes that fits no attribute (D-18)."""

    SUGGEST = "suggest"
    CREATE = "create"
    REQUIRE_MAPPING = "require_mapping"


class Forbidden(enum.StrEnum):
    """What a forbidden character in a header does (HI-06, D-12)."""

    WARN = "warn"
    REJECT = "reject"
    ALLOW = "allow"


class HeaderCase(enum.StrEnum):
    """Which headers are taken for built-in attributes and own fields (HI-02, HI-37).

    ``ALIKE``: whatever is spelled alike. ``IDENTIFIERS_EXACT``: the identifiers by their exact spelling, others alike.
    ``EXACT``: by their exact spelling; all others become custom attributes.
    """

    ALIKE = "alike"
    IDENTIFIERS_EXACT = "identifiers_exact"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Options:
    """What a preset sets and a job may set otherwise."""

    on_invalid_value: OnInvalid = OnInvalid.FAIL_ROW
    unknown_columns: Unknown = Unknown.SUGGEST
    enforce_mandatory: bool = True
    forbidden_characters: Forbidden = Forbidden.WARN
    header_case: HeaderCase = HeaderCase.ALIKE
    identifier_first: bool = False
    refuse_placeholders: bool = False
    alias_with_external_id: bool = False
    phone_format: PhoneFormat = PhoneFormat.ANY
    default_country: str = ""
    bracket_dates: bool = True
    iso_dates: bool = True
    time_zone: str = "UTC"
    default_time: str = "12:00:00"
    genders: str = "MFONP"
    exact_states: bool = False
    published_codes: bool = False
    csv_only: bool = False
    max_megabytes: int = 500
    max_event_megabytes: int = 50
    data_points: bool = False
    event_name: str = ""

    @property
    def values(self) -> ValueOptions:
        return ValueOptions(
            phone_format=self.phone_format,
            default_country=self.default_country or None,
            time_zone=self.time_zone,
            default_time=self.default_time,
            iso_dates=self.iso_dates,
        )

    def changed(self, chosen: Mapping[str, Any]) -> Options:
        """These options with what a job chose; names that are no option are refused with ``KeyError``."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        return replace(self, **{name: kinds[name](value) for name, value in chosen.items()})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Preset:
    """One way of importing, named after the system whose files it suits.

    ``identifiers``: keys that people may be found by; None for all there are, ``CHANNELS`` for those in the schema.
    ``events``: whether its files may hold events; ``no_events`` says what to do instead where they may not.
    """

    key: str
    label: str
    options: Options
    actions: tuple[Action, ...] = tuple(Action)
    default_action: Action | None = None
    identifiers: tuple[str, ...] | None = None
    events: bool = True
    no_events: str = ""


CHANNELS = ("channels",)
"""Every channel identifier of the schema, and no other."""

STANDARD = Preset("standard", "Standard", Options())

CLEVERTAP = Preset(
    "clevertap",
    "CleverTap CSV upload",
    Options(
        unknown_columns=Unknown.CREATE,
        enforce_mandatory=False,
        forbidden_characters=Forbidden.REJECT,
        header_case=HeaderCase.IDENTIFIERS_EXACT,
        identifier_first=True,
        refuse_placeholders=True,
        phone_format=PhoneFormat.DIGITS,
        iso_dates=False,
        genders="MF",
        published_codes=True,
        csv_only=True,
        max_megabytes=50,
    ),
    default_action=Action.OVERWRITE,
    identifiers=("external_id", "object_id"),
    events=False,
    no_events="CleverTap takes no events from CSV uploads. Send them through the API or by script, or choose Standard.",
)

EXPERTFLOW = Preset(
    "expertflow",
    "Expertflow bulk upload",
    Options(
        unknown_columns=Unknown.REQUIRE_MAPPING,
        forbidden_characters=Forbidden.ALLOW,
        alias_with_external_id=True,
        phone_format=PhoneFormat.PLUS,
        bracket_dates=False,
        csv_only=True,
    ),
    actions=(Action.IGNORE, Action.REPLACE, Action.UPDATE, Action.APPEND),
    identifiers=CHANNELS,
    events=False,
    no_events="Expertflow's bulk upload takes customers only. For events choose Standard or Braze.",
)

BRAZE = Preset(
    "braze",
    "Braze user import",
    Options(
        on_invalid_value=OnInvalid.DROP_VALUE,
        unknown_columns=Unknown.CREATE,
        enforce_mandatory=False,
        forbidden_characters=Forbidden.ALLOW,
        header_case=HeaderCase.EXACT,
        phone_format=PhoneFormat.E164,
        bracket_dates=False,
        default_time="00:00:00",
        exact_states=True,
        csv_only=True,
        data_points=True,
    ),
    default_action=Action.OVERWRITE,
    identifiers=("automatic", "external_id", "object_id", "alias", "email", "phone"),
)

PRESETS: Mapping[str, Preset] = {preset.key: preset for preset in [STANDARD, CLEVERTAP, EXPERTFLOW, BRAZE]}
