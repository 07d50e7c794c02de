"""What the oracle's tests share. They commit, since many connections must see the same."""

from collections.abc import Iterator

import pytest

from profiles.models import Attribute
from tests.oracle import cases, drive


@pytest.fixture
def crew(db: None) -> Iterator[drive.Crew]:
    """Four connections beside the test's own."""
    crew = drive.Crew(4)
    yield crew
    crew.close()


@pytest.fixture
def custom_identifiers(db: None) -> None:
    """Two attributes of a site's own that people can be found by: a list and a single value."""
    for column in cases.SCHEMA.values():
        if column.custom and column.channel:
            Attribute.objects.create(
                key=column.key, label=column.key, type=column.kind, multi_valued=column.many, identifier=True
            )
