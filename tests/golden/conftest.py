"""The queue with its workers, as processes of their own, for golden scenarios (requirements section 19)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import override_settings

from tests.crashes import processes
from tests.golden.way import Way


@pytest.hookimpl(tryfirst=True)  # before the tests are put in order by what they do to the database
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The workers see committed rows only."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True))


@pytest.fixture(scope="module")
def queue(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The supervisor and its workers; the folder where files are stored.

    They end with the file, since they would take up the tasks of other tests on the same database.
    """
    folder = tmp_path_factory.mktemp("golden")
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DATABASE_URL": url.geturl(),
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    with processes.working(environment):
        yield folder / "files"


@pytest.fixture
def way(db: None, queue: Path, tmp_path: Path) -> Iterator[Way]:
    """Files on their way from a folder through the queue into the database."""
    with override_settings(MEDIA_ROOT=queue):
        yield Way(tmp_path)
