"""Accepted values of each type: a sentence, and examples that can be imported. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from profiles.values.types import ValueType


@dataclass(frozen=True, slots=True)
class TypeExamples:
    """``says``: the accepted values. ``examples``: values of three people. ``others``: values for other presets."""

    says: str
    examples: tuple[str, ...]
    others: tuple[str, ...] = ()


TYPES: Mapping[ValueType, TypeExamples] = {
    ValueType.TEXT: TypeExamples("Any text, kept exactly as written.", ("gold", "silver", "bronze")),
    ValueType.INTEGER: TypeExamples("A whole number: digits, optionally with a sign.", ("12", "-3", "1050")),
    ValueType.NUMBER: TypeExamples(
        "A number with a decimal point, without spaces and thousands separators.", ("3.5", "-0.25", "100")
    ),
    ValueType.BOOLEAN: TypeExamples(
        "true or false, in upper or lower case; 1 and 0 are also accepted.", ("true", "false", "TRUE")
    ),
    ValueType.DATE: TypeExamples(
        "A day as YYYY-MM-DD, in the format that the header declares, or as $D_ with Unix seconds.",
        ("1990-04-14", "1985-12-25", "2001-07-01"),
        ("$D_640000000",),
    ),
    ValueType.DATETIME: TypeExamples(
        "A day and a time in ISO 8601, in the format that the header declares, or as $D_ with Unix seconds. A time "
        "without a time zone is in that of the site.",
        ("2024-02-29T10:00:00Z", "2024-03-01T10:00:00+02:00", "2024-03-02T18:30:00"),
        ("$D_1487576752",),
    ),
    ValueType.EMAIL: TypeExamples("An e-mail address.", ("ann@example.com", "ben@example.com", "cy@example.com")),
    ValueType.PHONE: TypeExamples(
        "A phone number of 7 to 15 digits, preferably with + and the country code; spaces, dots, dashes, slashes and "
        "parentheses are removed.",
        ("+14155550101", "+442079460102", "+493055550103"),
        ("14155550101", "442079460102", "493055550103"),
    ),
    ValueType.COUNTRY: TypeExamples("A country as its two-letter code of ISO 3166.", ("US", "GB", "DE")),
    ValueType.LANGUAGE: TypeExamples("A language as its two-letter code of ISO 639.", ("en", "fr", "de")),
    ValueType.TIME_ZONE: TypeExamples(
        "A time zone by its IANA name or its name in Ruby on Rails.",
        ("America/New_York", "Europe/London", "Eastern Time (US & Canada)"),
    ),
    ValueType.GENDER: TypeExamples("M, F, O (other), N (not applicable) or P (prefer not to say).", ("F", "M", "O")),
    ValueType.YES_NO: TypeExamples("Y for yes, or N for no.", ("Y", "N", "Y")),
    ValueType.EDUCATION: TypeExamples("Graduate, College or School.", ("Graduate", "College", "School")),
    ValueType.SUBSCRIPTION: TypeExamples(
        "opted_in (agreed), subscribed (no preference recorded) or unsubscribed (declined). Unless the preset requires "
        "exactly these, also in capitals, and true for subscribed, false for unsubscribed.",
        ("opted_in", "subscribed", "unsubscribed"),
        ("true", "false"),
    ),
    ValueType.URL: TypeExamples(
        "A web address that begins with http:// or https://.",
        ("https://example.com/ann", "https://example.com/ben", "http://example.com/cy?a=1"),
    ),
}

ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "name": ("Ann Lee", "Ben Ito", "Cy Roth"),
    "first_name": ("Ann", "Ben", "Cy"),
    "last_name": ("Lee", "Ito", "Roth"),
    "home_city": ("Boston", "London", "Berlin"),
    "labels": ("newsletter", "customer", "partner"),
    "age": ("34", "38", "23"),
    "employed": ("Y", "N", "Y"),
    "education": ("Graduate", "College", "School"),
    "married": ("N", "Y", "N"),
    "date_of_first_session": ("2024-02-29T10:00:00Z", "2024-03-01T10:00:00+00:00", "2024-03-02", "$D_1487576752"),
    "date_of_last_session": ("2024-04-29T10:00:00Z", "2024-05-01T10:00:00+00:00", "2024-05-02", "$D_1487676752"),
}
"""Examples of built-in attributes that fit better than those of the type."""

EVENT_PROPERTIES = ("trip_booked.properties.destination", "trip_booked.properties.duration")
"""Headers of event properties: the event's name, ``properties``, and the property's name (EV-04)."""

EVENTS: tuple[tuple[str, ...], ...] = (
    ("trip_booked", "2019-11-20T18:38:57Z", "Paris", "5"),
    ("trip_booked", "2019-11-20T18:38:57+00:00", "Berlin", "3"),
    ("trip_cancelled", "2019-11-20", "", ""),
)
"""Name, time and properties of the events of three people; the other event has no such properties."""
