"""The secret key of an installation on one machine: made once, kept in a file that only its owner reads."""

import os
import secrets
import tempfile
from pathlib import Path


def load_or_create_secret(path: Path) -> str:
    """Return the secret kept at `path`; on the first call make it (mode 0600).

    Safe when several processes start at once: all get the same secret.
    """
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # mkstemp gives mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
        os.link(name, path)  # unlike rename, this never replaces the secret of a faster process
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
