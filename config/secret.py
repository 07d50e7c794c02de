"""Create the secret key of an installation on one machine, once, in a file that only its owner can read."""

import os
import secrets
import tempfile
from pathlib import Path


def load_or_create_secret(path: Path) -> str:
    """Return the secret stored at `path`; create the file, with mode 0600, if it does not exist.

    Processes that start at the same time all get the same secret.
    """
    if not path.exists():
        _create(path)
    return path.read_text(encoding="ascii").strip()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # mkstemp creates it with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
        os.link(name, path)  # unlike rename, link never replaces the secret of a faster process
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
