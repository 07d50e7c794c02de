"""Whom a person means who types an e-mail address, a number or an id: exact look-ups by index, nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from profiles.merging import alias
from profiles.models import Identifier, Profile
from profiles.schema import Schema
from profiles.search.comparisons import matching_forms

MAX_TEXT_LENGTH = 1024


def identifier_filter(text: str, schema: Schema) -> Q:
    """Everybody who has the text as their external id, object id or alias, or as a channel value. An alias is meant by
    its name, or by label and name as they are shown.

    Channel values are compared in the form that matching compares them in, so that `ANN@x.co` and `+44 20-79…` find
    whom a file would find. A part of an identifier finds nobody.
    """
    text = text.strip()
    if not text or len(text) > MAX_TEXT_LENGTH or "\0" in text:
        return Q(pk__in=[])
    own: list[QuerySet[Profile, int]] = [
        Profile.objects.filter(where).values_list("pk", flat=True)
        for where in (
            Q(external_id=text),
            Q(object_id=text),
            *_reached_by_alias(text),
        )
    ]
    channels = [
        Identifier.objects.filter(kind=kind, value=value).values_list("profile_id", flat=True)
        for kind, value in dict.fromkeys(_links(text, schema))
    ]
    return Q(pk__in=own[0].union(*own[1:], *channels, all=True))


def _reached_by_alias(text: str) -> Iterator[Q]:
    """Whom an alias means, as its index has it: who has an external id is not reached by alias (HI-19)."""
    yield Q(alias_name=text, external_id=None)
    for label, name in alias.possible_pairs(text):
        yield Q(alias_name=name, alias_label=label, external_id=None)


def _links(text: str, schema: Schema) -> Iterator[tuple[str, str]]:
    """The text as a value of each channel that can have it."""
    for kind in schema.lookup_identifiers:
        for form in matching_forms(text, schema.definitions[kind].type):
            yield kind, form
