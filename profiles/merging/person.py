"""One person in a working set, and one incoming row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from profiles.merging.actions import Attributes, Changes
from profiles.schema import ALIAS, OWN_IDENTIFIERS

Link = tuple[str, str]
"""Kind and value, in matching form, of an identifier."""


@dataclass(slots=True)
class IncomingRow:
    """One row: the identifier that its person is looked up by, and its values.

    ``links`` holds, in matching form, its identifiers of all kinds that rows are looked up by, including ``key``, and
    possibly others. ``raw`` is the JSON of its attribute values, none blank; it is parsed only when needed. ``alias``
    is in matching form too.
    """

    row: int
    key: Link
    links: Sequence[Link]
    raw: str
    external_id: str | None = None
    object_id: str | None = None
    alias: str | None = None


class Person:
    """A person in the working set.

    ``ref`` is the primary key, or minus the number of the row that created the person. ``attributes`` is JSON text
    until it is needed parsed. ``recency`` is ``Profile.updated`` in microseconds, both version and order; ``version``
    is its value when the person was read, None for a new person. ``changes`` combines what the rows so far changed
    about a person from the database, relative to ``attributes``, which stay as read. ``alias`` is in matching form.
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
        self.changes: Changes = NO_CHANGES

    @property
    def alias_link(self) -> Link | None:
        """The alias as an identifier; None for a person with an external ID, who is not found by alias (HI-19)."""
        return None if self.alias is None or self.external_id is not None else (ALIAS, self.alias)

    def values(self) -> Attributes:
        """Return the person's attributes after the rows so far."""
        if isinstance(self.attributes, str):
            self.attributes = orjson.loads(self.attributes)
        attributes: Attributes = self.attributes  # type: ignore[assignment]
        return apply_changes(attributes, self.changes) if self.changes else attributes


NO_CHANGES: Changes = {}


def apply_changes(attributes: Attributes, changes: Changes) -> Attributes:
    """Return attributes after changes. Changes of the person's own fields are left out."""
    new = {key: value for key, value in attributes.items() if key not in changes}
    return new | {key: value for key, (_, value) in changes.items() if value is not None and key not in OWN_IDENTIFIERS}
