"""Small parts of the platform that need no database."""

import logging
import re
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from config.logs import TaskResultFilter, ValueFreeFormatter
from config.network import client_ip
from config.processes import read_procfile
from config.secret import load_or_create_secret
from config.settings import BASE_DIR, require_extra


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "data" / "secret_key"
    secret = load_or_create_secret(path)
    assert len(secret) > 50
    assert load_or_create_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


PERSONAL = "ann@example.com"


def raise_with_value():
    try:
        int(PERSONAL)
    except ValueError as error:
        raise LookupError(PERSONAL) from error


def test_a_log_keeps_the_kind_and_lines_of_an_error_but_no_value():
    with pytest.raises(LookupError) as caught:
        raise_with_value()
    record = logging.LogRecord("imports", logging.ERROR, "", 1, "Failed", (), (caught.type, caught.value, caught.tb))
    text = ValueFreeFormatter().format(record)
    assert "builtins.ValueError" in text
    assert "builtins.LookupError" in text
    assert "raise_with_value" in text
    assert PERSONAL not in text


def test_the_queue_logs_no_result_of_a_failed_task():
    message = "Failed 'imports.tasks.advance' (blue-moon) - Key (value)=(x) : Traceback ..."
    record = logging.LogRecord("django-q", logging.ERROR, "", 1, message, None, None)
    assert TaskResultFilter().filter(record)
    assert record.getMessage() == "Failed 'imports.tasks.advance' (blue-moon)"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "forged, 198.51.100.1", "198.51.100.1"),
        (2, "forged, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_only_what_trusted_proxies_added_is_believed(settings, proxies, forwarded, expected):
    settings.PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_ip(request) == expected


def test_the_procfile_names_the_parts_of_a_site():
    assert set(read_procfile(BASE_DIR / "Procfile")) == {"release", "web", "worker"}


def test_a_setting_whose_packages_are_missing_is_refused_with_the_command_that_installs_them():
    require_extra("REDIS_URL", "redis", "redis")
    with pytest.raises(ImproperlyConfigured, match=r"REDIS_URL needs .* pip install '\.\[redis\]'"):
        require_extra("REDIS_URL", "a_module_that_nobody_has", "redis")


def test_every_setting_is_documented():
    text = (BASE_DIR / "config" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:env\.\w+|env_integer|env_choice)\(\s*"(\w+)"', text)) | {"DATABASE_URL", "EMAIL_URL"}
    documented = set(re.findall(r"`([A-Z0-9_]+)`", (BASE_DIR / "docs" / "settings.md").read_text(encoding="utf-8")))
    assert read - documented == set()
