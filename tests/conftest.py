"""The database of a test run, and how hypothesis looks for counterexamples.

Without DATABASE_URL a throw-away embedded server is started by the process that controls the run; the workers of
pytest-xdist share it, each with a database of its own. With DATABASE_URL that server is used and nothing is started.
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

# A server that lives for one run has nothing to lose in a crash.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}

hypothesis_settings.register_profile(
    "ci", max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
hypothesis_settings.register_profile("quick", hypothesis_settings.get_profile("ci"), max_examples=50)
hypothesis_settings.register_profile("long", hypothesis_settings.get_profile("ci"), max_examples=3_000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

SHARED = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Make what the whole run shares; its workers find the address in the environment that they inherit."""
    if hasattr(config, "workerinput"):
        return
    shared = config.stash[SHARED] = ExitStack()
    shared.callback(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
    if os.environ["DATABASE_URL"] == NO_SERVER:
        folder = Path(tempfile.mkdtemp(prefix="profile-imports-db-"))
        shared.callback(shutil.rmtree, folder, ignore_errors=True)
        server = shared.enter_context(embedded.running_server(folder / "postgres", NOT_DURABLE))
        os.environ["DATABASE_URL"] = server.url()
        settings.DATABASES["default"].update(external_database())  # settings were read before this file


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the folders of the run."""
    if SHARED in config.stash:
        config.stash[SHARED].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that prepare an environment for other processes."""
    for item in items:
        if "process_environment" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.processes)


def made_folder() -> Iterator[Path]:
    """A folder for an embedded server, outside pytest's own: each run of pytest closes that to other users.

    Under root the server is another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="profile-imports-site-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


server_folder = pytest.fixture(made_folder, name="server_folder")
shared_server_folder = pytest.fixture(made_folder, name="shared_server_folder", scope="module")


@pytest.fixture
def process_environment(db: None, tmp_path: Path) -> dict[str, str]:
    """The environment in which another process (`manage.py ...`) works on this test's database.

    It sees committed rows only: use it in tests marked `django_db(transaction=True, serialized_rollback=True)`.
    """
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {
        **os.environ,
        "DATABASE_URL": url.geturl(),
        "DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
