"""The same through the real queue: workers of their own process, which take up what is queued (rule 1)."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import BASE_DIR
from tests.crashes.processes import end
from tests.oracle.cases import IDENTIFIERS, Case, cases
from tests.oracle.drive import Queue
from tests.oracle.test_oracle import compare

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

BUCKET_ROWS = 3


@pytest.fixture
def cluster(process_environment: dict[str, str]) -> Iterator[None]:
    """Two workers under their supervisor, who find the files where this process stores them."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work", "--stop-within", "4"],
        cwd=BASE_DIR,
        env={**process_environment, "IMPORTS_WORKERS": "2", "IMPORTS_BUCKET_ROWS": str(BUCKET_ROWS)},
    )
    with override_settings(MEDIA_ROOT=Path(process_environment["DATA_DIR"]) / "files"):
        yield
    end(process)


@pytest.mark.usefixtures("custom_identifiers", "cluster")
def test_an_import_through_the_queue_ends_as_its_rows_one_by_one() -> None:
    @settings(max_examples=settings().max_examples // 20)
    @given(st.sampled_from(IDENTIFIERS).flatmap(cases))
    def ends_as_row_by_row(case: Case) -> None:
        compare(replace(case, bucket_rows=BUCKET_ROWS, most_values=10), Queue())

    ends_as_row_by_row()
