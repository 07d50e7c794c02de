"""Folders for embedded servers."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def made_folder() -> Iterator[Path]:
    """A folder outside pytest's own: each run of pytest closes that to other users.

    Under root the server is another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="profile-imports-site-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


server_folder = pytest.fixture(made_folder, name="server_folder")
shared_server_folder = pytest.fixture(made_folder, name="shared_server_folder", scope="module")
