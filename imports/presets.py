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


@dataclass(frozen=True, slots=True)
class Options:
    """What a preset sets and a job may set otherwise."""

    on_invalid_value: OnInvalid = OnInvalid.FAIL_ROW
    unknown_columns: Unknown = Unknown.SUGGEST
    enforce_mandatory: bool = True
    phone_format: PhoneFormat = PhoneFormat.ANY
    default_country: str = ""
    time_zone: str = "UTC"
    default_time: str = "12:00:00"
    max_megabytes: int = 500

    @property
    def values(self) -> ValueOptions:
        return ValueOptions(
            phone_format=self.phone_format,
            default_country=self.default_country or None,
            time_zone=self.time_zone,
            default_time=self.default_time,
        )

    def changed(self, chosen: Mapping[str, Any]) -> Options:
        """These options with what a job chose; names that are no option are refused with ``KeyError``."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        return replace(self, **{name: kinds[name](value) for name, value in chosen.items()})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Preset:
    """One way of importing, named after the system whose files it suits."""

    key: str
    label: str
    options: Options
    actions: tuple[Action, ...] = tuple(Action)
    default_action: Action | None = None


STANDARD = Preset("standard", "Standard", Options())

PRESETS: Mapping[str, Preset] = {preset.key: preset for preset in [STANDARD]}
