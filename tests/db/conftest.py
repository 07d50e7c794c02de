"""What the tests share that kill workers."""

import os
from collections.abc import Iterator

import pytest

from tests.crashes import way


@pytest.fixture
def crash_options() -> Iterator[None]:
    """A lease that soon ends, and many small buckets, for what this process does itself."""
    with way.options():
        yield


@pytest.fixture
def environment(crash_options: None, process_environment: dict[str, str]) -> dict[str, str]:
    """The same for workers, on this test's database and files."""
    return process_environment | {
        "DJANGO_SETTINGS_MODULE": "tests.crashes.settings",
        "DATA_DIR": os.environ["DATA_DIR"],
        "IMPORTS_WORKERS": "2",
    }
