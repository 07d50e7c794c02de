"""Settings of the tests: the production settings, with the database that conftest.py provides."""

import os
import tempfile

# The DATABASE_URL until conftest.py has started a server, if none was set. Nothing listens at this address.
NO_SERVER = "postgres://postgres@localhost:1/profiles"

os.environ.setdefault("DATABASE_URL", NO_SERVER)
os.environ.setdefault("SECRET_KEY", "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789")
if "DATA_DIR" not in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="profile-imports-")
os.environ.setdefault("HTTPS", "false")
os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1,testserver")

from config.settings import *  # noqa: E402, F403
from config.settings import STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; the passwords of tests need no protection
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True  # collectstatic is not run
