"""One person in a working set, and what a row brings for somebody. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from profiles.merging.actions import Attributes, Changes
from profiles.schema import ALIAS, OWN_IDENTIFIERS

Link = tuple[str, str]
"""Kind and value in matching form of something a person is found by."""


@dataclass(slots=True)
class Incoming:
    """One row: what it looks a person up by and what it brings.

    ``links`` holds, in matching form, what it brings of the kinds that anybody is looked up by, ``key`` among them, and
    maybe more; ``raw`` is the JSON of its attribute values, none blank, read only when somebody must look inside.
    ``alias`` is in matching form too.
    """

    row: int
    key: Link
    links: Sequence[Link]
    raw: str
    external_id: str | None = None
    object_id: str | None = None
    alias: str | None = None


class Person:
    """Somebody in the working set.

    ``ref`` is the primary key, or minus the number of the row that made them. ``attributes`` is JSON text until
    somebody needs to look inside. ``recency`` is ``Profile.updated`` in microseconds: version and order in one;
    ``version`` is what was read, None for somebody new. ``changes`` is what the rows so far changed about a known
    person, all together, on top of ``attributes`` as they were read. ``alias`` is in matching form.
    """

    __slots__ = (
        "alias", "attributes", "changes", "external_id", "first_row", "last_row", "object_id", "recency", "ref",
        "version",
    )  # fmt: skip

    def __init__(
        self,
        ref: int,
        object_id: str,
        external_id: str | None,
        attributes: Attributes | str,
        recency: int,
        version: int | None = None,
        first_row: int | None = None,
        alias: str | None = None,
    ) -> None:
        self.ref = ref
        self.object_id = object_id
        self.external_id = external_id
        self.alias = alias
        self.attributes = attributes
        self.recency = recency
        self.version = version
        self.first_row = self.last_row = first_row
        self.changes: Changes = NOTHING

    @property
    def reached_by_alias(self) -> Link | None:
        """What the person is found by as far as it is their alias: nothing for who has an external id (HI-19)."""
        return None if self.alias is None or self.external_id is not None else (ALIAS, self.alias)

    def values(self) -> Attributes:
        """What is known about the person after the rows so far."""
        if isinstance(self.attributes, str):
            self.attributes = orjson.loads(self.attributes)
        attributes: Attributes = self.attributes  # type: ignore[assignment]
        return apply_changes(attributes, self.changes) if self.changes else attributes


NOTHING: Changes = {}


def apply_changes(attributes: Attributes, changes: Changes) -> Attributes:
    """Attributes after changes; the person's own fields among the changes are none of theirs."""
    new = {key: value for key, value in attributes.items() if key not in changes}
    return new | {key: value for key, (_, value) in changes.items() if value is not None and key not in OWN_IDENTIFIERS}
