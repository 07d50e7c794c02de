"""What `manage.py` starts by itself, and the settings that it refuses, with what to do (issue parts A.4 and D)."""

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
        ({"DATABASE_URL": "sqlite:///x", "SECRET_KEY": SECRET}, "PostgreSQL 15 or newer only"),
        ({"IMPORTS_APPROVAL": "sometimes"}, "Set it to one of: creators, always, never."),
        ({"IMPORTS_WORKERS": "none"}, "Set it to a whole number of at least 1."),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(tmp_path, environment, sentence):
    result = manage("check", DATA_DIR=str(tmp_path), **environment)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_commands_that_need_no_database_start_none(tmp_path):
    result = manage("check", DATA_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_command_starts_the_embedded_database_and_stops_it_again(tmp_path):
    result = manage("migrate", "--verbosity", "0", DATA_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "postgres" / "PG_VERSION").exists()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
    result = manage("showmigrations", "--plan", DATA_DIR=str(tmp_path))
    assert "[X]" in result.stdout
    assert "[ ]" not in result.stdout


def test_an_import_works_on_an_empty_machine_without_a_worker_started_by_hand(tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("email,first_name\nann@example.com,Ann\nbob@example.com,Bob\n")
    options = ("--identifier", "email", "--action", "update", "--wait", "--json")
    result = manage("import_profiles", str(file), *options, DATA_DIR=str(tmp_path / "data"))
    assert result.returncode == 0, result.stderr
    counts = json.loads(result.stdout.splitlines()[-1])["counts"]
    assert (counts["total"], counts["imported"]) == (2, 2)
    assert not (tmp_path / "data" / "postgres" / "postmaster.pid").exists()
