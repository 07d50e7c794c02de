"""The names of the values of types with a closed list, for selects. ``profiles.values`` decides which codes exist."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from profiles.values import time_zones
from profiles.values.types import ValueType


@cache
def choices(value_type: ValueType) -> Mapping[str, str] | None:
    """Return the names of a type's values by the text to enter, in order; None for a type without a list."""
    match value_type:
        case ValueType.BOOLEAN:
            return {"true": "Yes", "false": "No"}
        case ValueType.SUBSCRIPTION:
            return {"opted_in": "Opted in", "subscribed": "Subscribed", "unsubscribed": "Unsubscribed"}
        case ValueType.GENDER:
            return {"F": "Female", "M": "Male", "O": "Other", "N": "Not applicable", "P": "Prefers not to say"}
        case ValueType.YES_NO:
            return {"Y": "Yes", "N": "No"}
        case ValueType.EDUCATION:
            return {"Graduate": "Graduate", "College": "College", "School": "School"}
        case ValueType.COUNTRY:
            return _countries()
        case ValueType.LANGUAGE:
            return _languages()
        case ValueType.TIME_ZONE:
            return {zone: zone.replace("_", " ") for zone in sorted(set(time_zones.accepted_names().values()))}
    return None


def _countries() -> dict[str, str]:
    import pycountry

    return _by_name({country.alpha_2: getattr(country, "common_name", country.name) for country in pycountry.countries})


def _languages() -> dict[str, str]:
    import pycountry

    return _by_name({code: each.name for each in pycountry.languages if (code := getattr(each, "alpha_2", None))})


def _by_name(names: dict[str, str]) -> dict[str, str]:
    return {code: f"{name} ({code})" for code, name in sorted(names.items(), key=lambda item: item[1])}
