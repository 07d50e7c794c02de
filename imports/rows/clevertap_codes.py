"""Translate problem codes to those that CleverTap publishes for profiles, if there is one (requirements 14.1). Pure."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "invalid_gender": "514",
    "invalid_email": "515",
    "invalid_phone": "516",
    "invalid_education": "518",
    "blank_identifier": "523",
    "placeholder": "523",
    "invalid_date": "525",
    "invalid_datetime": "525",
    "no_such_profile": "526",
    "object_id_differs": "526",
}
"""Published codes by the product's own code."""

_OF_ATTRIBUTES: Mapping[str, str] = {"employed": "517", "married": "519", "age": "520", "object_id": "526"}
"""Published codes by the key of an attribute or own field, for types that other attributes share."""


def published_code(code: str, key: str = "") -> str:
    """Return the published code of a problem with a value of an attribute, else the product's own code."""
    return CODES.get(code) or _OF_ATTRIBUTES.get(key, code)
