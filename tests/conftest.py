"""Provide the database of a test run, and the settings of hypothesis.

Without DATABASE_URL the process that controls the run starts a temporary embedded server; the workers of pytest-xdist
share it, each with its own database. With DATABASE_URL that server is used, and none is started.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config import embedded
from config.settings import external_database
from tests.settings import NO_SERVER

# The data of a server for a single run need not survive a crash.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}

hypothesis_settings.register_profile(
    "ci", max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
hypothesis_settings.register_profile("quick", hypothesis_settings.get_profile("ci"), max_examples=50)
hypothesis_settings.register_profile("long", hypothesis_settings.get_profile("ci"), max_examples=3_000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

SHARED = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server that the run shares; its workers inherit the address in the environment."""
    if hasattr(config, "workerinput"):
        return
    shared = config.stash[SHARED] = ExitStack()
    shared.callback(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
    if os.environ["DATABASE_URL"] == NO_SERVER:
        folder = Path(tempfile.mkdtemp(prefix="profile-imports-db-"))
        shared.callback(shutil.rmtree, folder, ignore_errors=True)
        server = shared.enter_context(embedded.running_server(folder / "postgres", NOT_DURABLE))
        os.environ["DATABASE_URL"] = server.url()
        settings.DATABASES["default"].update(external_database())  # settings were loaded before this file


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the folders of the run."""
    if SHARED in config.stash:
        config.stash[SHARED].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that prepare an environment for other processes."""
    for item in items:
        if "process_environment" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.processes)


def temporary_folder() -> Iterator[Path]:
    """Yield a folder for an embedded server, outside pytest's own folders, which pytest closes to other users.

    When the tests run as root, the server runs as another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="profile-imports-site-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


server_folder = pytest.fixture(temporary_folder, name="server_folder")
shared_server_folder = pytest.fixture(temporary_folder, name="shared_server_folder", scope="module")


@pytest.fixture
def process_environment(db: None, tmp_path: Path) -> dict[str, str]:
    """Return the environment for another process (`manage.py ...`) that uses this test's database.

    The process sees committed rows only: use it in tests marked
    `django_db(transaction=True, serialized_rollback=True)`.
    """
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {
        **os.environ,
        "DATABASE_URL": url.geturl(),
        "DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
