"""What `manage.py` starts by itself, and the settings that it refuses, with what to do."""

import json
import os
import subprocess
import sys

import pytest

from config.settings import BASE_DIR

SECRET = "a-secret-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz"


def manage(*arguments, **environment):
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={**base, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"DATABASE_URL": "postgres://localhost/x"}, "SECRET_KEY is missing."),
        ({"DATABASE_URL": "sqlite:///x", "SECRET_KEY": SECRET}, "Use PostgreSQL 15 or newer"),
        ({"IMPORTS_APPROVAL": "sometimes"}, "Set it to one of: creators, always, never."),
        ({"EMAIL_URL": "mail.example.com"}, "EMAIL_URL"),
        ({"IMPORTS_SITE_URL": "people.example.com"}, "Set it to the address of the site"),
        ({"IMPORTS_WORKERS": "none"}, "Set it to a whole number of at least 1."),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(server_folder, environment, sentence):
    result = manage("check", DATA_DIR=str(server_folder), **environment)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_does_not_answer_is_named(server_folder):
    url = "postgres://nobody@127.0.0.1:1/nothing"
    result = manage("migrate", DATA_DIR=str(server_folder), DATABASE_URL=url, SECRET_KEY=SECRET)
    assert result.returncode == 1
    assert "DATABASE_URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_commands_that_need_no_database_start_none(server_folder):
    result = manage("check", DATA_DIR=str(server_folder))
    assert result.returncode == 0, result.stderr
    assert [path.name for path in server_folder.iterdir()] == ["secret_key"]


def test_a_command_starts_the_embedded_database_and_stops_it_again(server_folder):
    result = manage("migrate", "--verbosity", "0", DATA_DIR=str(server_folder))
    assert result.returncode == 0, result.stderr
    assert (server_folder / "postgres" / "PG_VERSION").exists()
    assert not (server_folder / "postgres" / "postmaster.pid").exists()
    result = manage("showmigrations", "--plan", DATA_DIR=str(server_folder))
    assert "[X]" in result.stdout
    assert "[ ]" not in result.stdout


def test_an_import_works_on_an_empty_machine_without_a_worker_started_by_hand(server_folder):
    file = server_folder / "people.csv"
    file.write_text("email,first_name\nann@example.com,Ann\nbob@example.com,Bob\n")
    options = ("--identifier", "email", "--action", "update", "--wait", "--json")
    result = manage("import_profiles", str(file), *options, DATA_DIR=str(server_folder / "data"))
    assert result.returncode == 0, result.stderr
    counts = json.loads(result.stdout.splitlines()[-1])["counts"]
    assert (counts["total"], counts["imported"]) == (2, 2)
    assert not (server_folder / "data" / "postgres" / "postmaster.pid").exists()
