"""make_people: the people of `imports.sample_data.people`, and the command that writes them."""

import csv
import io
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path

import email_validator
import pycountry
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from imports.management.commands.make_people import Command
from imports.sample_data.noise import PROBLEMS, Column
from imports.sample_data.people import BATCH_SIZE, write_people

ROWS = 3 * BATCH_SIZE + 321  # several batches and a broken one
CHANGING = {Column.HOME_CITY, Column.PLAN, Column.SCORE}
ROOT = Path(__file__).parents[2]


def text_of(rows: int = ROWS, seed: int = 1, **options: float) -> str:
    stream = io.StringIO(newline="")
    write_people(rows, stream, seed, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def table(rows: int = ROWS, seed: int = 1, **options: float) -> list[list[str]]:
    """The data rows, without the header."""
    return list(csv.reader(io.StringIO(text_of(rows, seed, **options), newline=""), strict=True))[1:]


def emails(lines: list[list[str]]) -> list[str]:
    return [line[Column.EMAIL].strip().casefold() for line in lines]


@pytest.fixture(scope="module")
def plain() -> list[list[str]]:
    return table()


def problems_of(cells: list[str]) -> set[str]:
    """The columns that the standard preset would refuse, judged without any code of the importer."""
    email, _, _, phone, country, language, _, dob, gender, _, score = (cell.strip() for cell in cells)
    found = set()
    try:
        email_validator.validate_email(email, check_deliverability=False)
    except email_validator.EmailNotValidError:
        found.add("email")
    if phone and not re.fullmatch(r"\+?\d{7,15}", re.sub(r"[ \-.()/]", "", phone)):
        found.add("phone")
    if country and not pycountry.countries.get(alpha_2=country):
        found.add("country")
    if language and not pycountry.languages.get(alpha_2=language):
        found.add("language")
    if not re.fullmatch(r"(\d{4}-\d\d-\d\d)?", dob) or not is_real_date(dob):
        found.add("dob")
    if gender not in {"", "M", "F", "O", "N", "P"}:
        found.add("gender")
    if score and not score.isdecimal():
        found.add("score")
    return found | {"length" for cell in cells if len(cell.encode()) > 512}


def is_real_date(text: str) -> bool:
    try:
        return not text or bool(date.fromisoformat(text))
    except ValueError:
        return False


def test_the_same_arguments_give_the_same_file() -> None:
    options = {"known": 0.3, "bad": 0.1, "twice": 0.1}
    assert text_of(500, 7, **options) == text_of(500, 7, **options)
    assert text_of(500, 7) != text_of(500, 8)


def test_another_process_gives_the_same_file() -> None:
    code = (
        "import sys; from imports.sample_data.people import write_people; "
        "write_people(300, sys.stdout, 5, known=0.5, twice=0.1)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, cwd=ROOT)
    assert told.stdout.decode() == text_of(300, 5, known=0.5, twice=0.1)


def test_a_shorter_file_is_the_beginning_of_a_longer_one(plain: list[list[str]]) -> None:
    assert table(BATCH_SIZE + 5) == plain[: BATCH_SIZE + 5]


def test_the_header_names_the_eleven_columns() -> None:
    header = text_of(1).splitlines()[0]
    assert header == "email,first_name,last_name,phone,country,language,home_city,dob,gender,plan,score"


def test_every_row_has_eleven_cells_and_nothing_to_refuse(plain: list[list[str]]) -> None:
    assert len(plain) == ROWS
    assert {len(line) for line in plain} == {11}
    assert [(line, problems) for line in plain if (problems := problems_of(line))] == []


def test_emails_and_phones_are_unique(plain: list[list[str]]) -> None:
    assert len(set(emails(plain))) == ROWS
    phones = [re.sub(r"\D", "", line[Column.PHONE]) for line in plain if line[Column.PHONE]]
    assert len(set(phones)) == len(phones)


def test_other_seeds_have_other_emails(plain: list[list[str]]) -> None:
    assert not set(emails(plain)) & set(emails(table(seed=2)))


def test_people_are_varied_and_dirty(plain: list[list[str]]) -> None:
    text = text_of()
    first_letters = {unicodedata.name(cell[0]).split()[0] for line in plain for cell in line[1:3] if cell}
    assert {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "CJK"} <= first_letters
    assert len({line[Column.COUNTRY].strip() for line in plain}) > 10
    assert {line[Column.GENDER].strip() for line in plain} == {"", "M", "F", "O", "N", "P"}
    assert any(line[Column.EMAIL].isupper() for line in plain)
    assert any(line[Column.EMAIL].startswith(" ") for line in plain)
    assert any("(" in line[Column.PHONE] for line in plain)
    assert any(len(line[Column.HOME_CITY].encode()) > 250 for line in plain)
    for oddity in (', Jr."', "O'", "é", "🌻", '""Sunny""', ",,"):
        assert oddity in text
    for column in set(Column) - {Column.EMAIL}:
        assert 0 < sum(not line[column] for line in plain) < 0.05 * ROWS


def test_a_row_has_about_119_bytes() -> None:
    assert 110 < len(text_of().encode()) / ROWS < 125


def test_a_second_version_has_the_same_people_with_another_city_plan_and_score(plain: list[list[str]]) -> None:
    for before, after in zip(plain, table(version=2), strict=True):
        assert {column for column in Column if before[column] != after[column]} == CHANGING


def test_known_rows_hold_the_people_of_the_same_rows_of_the_plain_file(plain: list[list[str]]) -> None:
    mixed, theirs = table(known=0.3), set(emails(plain))
    known = [at for at, email in enumerate(emails(mixed)) if email in theirs]
    assert len(known) == round(0.3 * ROWS)
    assert len(set(emails(mixed))) == ROWS
    for at in known:
        assert {column for column in Column if plain[at][column] != mixed[at][column]} == CHANGING
    assert not set(emails(mixed)) & set(emails(table(2 * ROWS))[ROWS:])  # nor are the others in a longer plain file
    in_each_batch = Counter(at // BATCH_SIZE for at in known)
    assert {in_each_batch[batch] for batch in range(3)} == {round(0.3 * BATCH_SIZE)}


def test_all_known_is_the_changed_file() -> None:
    assert text_of(known=1) == text_of(version=2)


def test_twice_repeats_people_of_earlier_rows(plain: list[list[str]]) -> None:
    lines = table(twice=0.2)
    seen: dict[str, list[str]] = {}
    repeated = 0
    for at, (line, email) in enumerate(zip(lines, emails(lines), strict=True)):
        if email in seen:
            repeated += 1
            changed = {column for column in Column if seen[email][column] != line[column]}
            assert changed == CHANGING
        else:
            assert line == plain[at]
            seen[email] = line
    assert repeated == pytest.approx(0.2 * ROWS, abs=1)


def test_bad_rows_have_one_problem_each_of_every_kind(plain: list[list[str]]) -> None:
    lines = table(bad=0.1)
    spoiled = [line for line, sound in zip(lines, plain, strict=True) if line != sound]
    assert len(spoiled) == round(0.1 * ROWS)
    ragged = Counter(len(line) > 11 for line in spoiled if len(line) != 11)
    found = [problems_of(line) for line in spoiled if len(line) == 11]
    assert {len(problems) for problems in found} == {1}
    kinds = Counter(problem for problems in found for problem in problems)
    assert set(kinds) == {"email", "phone", "country", "dob", "score", "length"}
    share = len(spoiled) / len(PROBLEMS)
    assert kinds.pop("email") == pytest.approx(2 * share, abs=2)  # malformed and blank
    assert [*kinds.values(), *ragged.values()] == pytest.approx([share] * 7, abs=1)


def test_bad_and_repeated_rows_share_a_file() -> None:
    lines = table(bad=0.5, twice=0.5)
    assert len(lines) == ROWS
    assert len(set(emails(lines))) < 0.6 * ROWS


@pytest.mark.parametrize(
    "options",
    [
        {"rows": 0},
        {"seed": -1},
        {"version": 0},
        {"known": 1.1},
        {"bad": -0.1},
        {"twice": float("nan")},
        {"bad": 0.6, "twice": 0.6},
    ],
)
def test_it_refuses_what_makes_no_sense(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be between"):
        text_of(**{"rows": 1, **options})  # type: ignore[arg-type]


def run(*arguments: str) -> str:
    """The command's line on stderr."""
    stderr = io.StringIO()
    call_command(Command(stderr=stderr), *arguments)
    return stderr.getvalue()


def test_the_command_writes_the_file_and_its_rate(tmp_path: Path) -> None:
    target = tmp_path / "people.csv"
    target.write_text("an older file")
    line = run("1200", str(target), "--seed", "3", "--known", "0.5", "--bad", "0.1", "--twice", "0.1", "--changed")
    assert target.read_bytes().decode() == text_of(1200, 3, known=0.5, bad=0.1, twice=0.1, version=2)
    assert re.fullmatch(r"1,200 rows in [\d.]+ s, [\d,]+ rows/s\n", line)
    assert os.listdir(tmp_path) == ["people.csv"]


def test_the_command_writes_to_stdout() -> None:
    stdout = io.StringIO()
    call_command(Command(stdout=stdout, stderr=io.StringIO()), "20", "-")
    assert stdout.getvalue() == text_of(20)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no folder .*nowhere"):
        run("1", str(tmp_path / "nowhere" / "people.csv"))


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Is a directory"):
        run("1", str(tmp_path))


def test_a_device_is_written_to_and_not_replaced() -> None:
    run("1", os.devnull)
    assert Path(os.devnull).is_char_device()


def test_a_broken_run_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "people.csv"
    target.write_text("an older file")
    monkeypatch.setattr("imports.sample_data.people.PROBLEMS", [stop])
    with pytest.raises(KeyboardInterrupt):
        run("5000", str(target), "--bad", "0.0002")
    assert target.read_text() == "an older file"
    assert os.listdir(tmp_path) == ["people.csv"]


def stop(cells: list[str], random: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "arguments",
    [
        ("0", "-"),
        ("x", "-"),
        ("1",),
        ("1", "-", "--known", "2"),
        ("1", "-", "--bad", "-0.5"),
        ("1", "-", "--twice", "x"),
        ("1", "-", "--seed", "-1"),
        ("1", "-", "--known", "nan"),
        ("1", "-", "--bad", "0.6", "--twice", "0.6"),
    ],
)
def test_the_command_refuses_wrong_arguments(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert refused.value.returncode in {1, 2}
