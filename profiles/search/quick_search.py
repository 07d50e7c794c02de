"""Find people by one typed identifier, such as an e-mail address, a phone number or an ID, by exact index look-ups."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from profiles.merging import alias
from profiles.models import Identifier, Profile
from profiles.schema import Schema
from profiles.search.comparisons import matching_forms

MAX_TEXT_LENGTH = 1024


def identifier_filter(text: str, schema: Schema) -> Q:
    """Return the test for people who have the text as external ID, object ID, alias or channel value.

    The text of an alias is its name, or label and name as pages show them. Channel values are compared in matching
    form, so that `ANN@x.co` and `+44 20-79…` find the same people as in a file. A part of an identifier finds nobody.
    """
    text = text.strip()
    if not text or len(text) > MAX_TEXT_LENGTH or "\0" in text:
        return Q(pk__in=[])
    own: list[QuerySet[Profile, int]] = [
        Profile.objects.filter(where).values_list("pk", flat=True)
        for where in (
            Q(external_id=text),
            Q(object_id=text),
            *_has_alias(text),
        )
    ]
    channels = [
        Identifier.objects.filter(kind=kind, value=value).values_list("profile_id", flat=True)
        for kind, value in dict.fromkeys(_links(text, schema))
    ]
    return Q(pk__in=own[0].union(*own[1:], *channels, all=True))


def _has_alias(text: str) -> Iterator[Q]:
    """Yield the tests for an alias, which its index serves: a person with an external ID is not found by it (HI-19)."""
    yield Q(alias_name=text, external_id=None)
    for label, name in alias.possible_pairs(text):
        yield Q(alias_name=name, alias_label=label, external_id=None)


def _links(text: str, schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield the text in matching form for each channel identifier of which it can be a value."""
    for kind in schema.lookup_identifiers:
        for form in matching_forms(text, schema.definitions[kind].type):
            yield kind, form
