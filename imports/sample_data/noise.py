"""Change a person's cells as real files do: noise that an import must accept, and problems that fail a row.

Noise is harmless: under the standard preset a noisy row imports as well as a clean one. It is chosen with the person,
so that a person has the same noise in every file. A problem is chosen for a single row of a file.
"""

import enum
from collections.abc import Callable
from random import Random

Cells = list[str]
NoiseFunction = Callable[[Cells, int], None]
ProblemFunction = Callable[[Cells, Random], None]


class Column(enum.IntEnum):
    """The columns of a file of people, in their order."""

    EMAIL = 0
    FIRST_NAME = 1
    LAST_NAME = 2
    PHONE = 3
    COUNTRY = 4
    LANGUAGE = 5
    HOME_CITY = 6
    DOB = 7
    GENDER = 8
    PLAN = 9
    SCORE = 10


# One blank cell is the common case; the e-mail stays, since a row without it is a problem and not noise.
BLANKS: tuple[tuple[Column, ...], ...] = (
    (Column.PHONE,),
    (Column.DOB,),
    (Column.GENDER,),
    (Column.HOME_CITY,),
    (Column.PLAN,),
    (Column.SCORE,),
    (Column.FIRST_NAME,),
    (Column.COUNTRY, Column.LANGUAGE),
    (Column.PHONE, Column.DOB, Column.GENDER),
    (Column.LAST_NAME, Column.HOME_CITY, Column.PLAN, Column.SCORE),
)
EMOJI = ("🌻", "🎉", "👩‍🚀", "❤️", "🏳️‍🌈", "🇧🇷")
PHONE_STYLES = (
    "+{0} {1} {2} {3}",
    "+{0} ({1}) {2}-{3}",
    "+{0}-{1}-{2}{3}",
    "+{0}.{1}.{2}.{3}",
    "+{0} {1}/{2}{3}",
    "(+{0}) {1} {2} {3}",
)
LONG_NOTE = "second house behind the old mill, ring twice and mind the step, "
LONG_NOTE_TIMES = 4  # with any city in front the text stays below the limit of 512 bytes (AT-10)


def styled_phone(calling: str, area: str, subscriber: str, style: int) -> str:
    """Return the number as people write it, with separators that the standard preset removes (D-19)."""
    return PHONE_STYLES[style % len(PHONE_STYLES)].format(calling, area, subscriber[:4], subscriber[4:])


def _blanks(cells: Cells, number: int) -> None:
    for column in BLANKS[number % len(BLANKS)]:
        cells[column] = ""


def _upper_email(cells: Cells, number: int) -> None:
    cells[Column.EMAIL] = cells[Column.EMAIL].upper()


def _title_email(cells: Cells, number: int) -> None:
    cells[Column.EMAIL] = cells[Column.EMAIL].title()


def _padded_email(cells: Cells, number: int) -> None:
    cells[Column.EMAIL] = f" {cells[Column.EMAIL]}{' ' * (number % 3)}"


def _padded_words(cells: Cells, number: int) -> None:
    for column in (Column.COUNTRY, Column.LANGUAGE, Column.DOB, Column.GENDER):
        cells[column] = f" {cells[column]} "


def _name_with_comma(cells: Cells, number: int) -> None:
    cells[Column.LAST_NAME] += ", Jr."


def _name_with_apostrophe(cells: Cells, number: int) -> None:
    cells[Column.LAST_NAME] = f"O'{cells[Column.LAST_NAME]}"


def _name_with_quotes(cells: Cells, number: int) -> None:
    cells[Column.FIRST_NAME] += ' "Sunny"'


def _name_with_accents(cells: Cells, number: int) -> None:
    cells[Column.FIRST_NAME] = f"{cells[Column.FIRST_NAME]} Zoë-Åsa"


def _name_with_emoji(cells: Cells, number: int) -> None:
    cells[Column.FIRST_NAME] += f" {EMOJI[number % len(EMOJI)]}"


def _name_from_right_to_left(cells: Cells, number: int) -> None:
    cells[Column.LAST_NAME] += " (عبد الله)"


def _city_with_comma(cells: Cells, number: int) -> None:
    cells[Column.HOME_CITY] += f", {cells[Column.COUNTRY]}"


def _long_city(cells: Cells, number: int) -> None:
    cells[Column.HOME_CITY] += ", " + LONG_NOTE * LONG_NOTE_TIMES


NOISE: tuple[NoiseFunction, ...] = (
    *[_blanks] * 6,  # the commonest by far
    _upper_email,
    _title_email,
    _padded_email,
    _padded_words,
    _name_with_comma,
    _name_with_apostrophe,
    _name_with_quotes,
    _name_with_accents,
    _name_with_emoji,
    _name_from_right_to_left,
    _city_with_comma,
    _long_city,
)


def _bad_email(cells: Cells, random: Random) -> None:
    local, _, host = cells[Column.EMAIL].strip().partition("@")
    cells[Column.EMAIL] = random.choice(
        (local, f"{local}@", f"@{host}", f"{local}@@{host}", f"{local} at {host}", f"{local}@nowhere")
    )


def _bad_phone(cells: Cells, random: Random) -> None:
    cells[Column.PHONE] = random.choice(("12345", "n/a", "+49 call me", "+1 555 CALL NOW", "+12345678901234567890"))


def _bad_country(cells: Cells, random: Random) -> None:
    cells[Column.COUNTRY] = random.choice(("ZZ", "Q9", "Atlantis", "Freedonia"))


def _impossible_date(cells: Cells, random: Random) -> None:
    cells[Column.DOB] = random.choice(("1990-02-30", "1985-13-01", "2001-02-29", "1999-00-10", "1974-11-31"))


def _text_in_score(cells: Cells, random: Random) -> None:
    cells[Column.SCORE] = random.choice(("n/a", "twelve", "12 points", "?"))


def _blank_email(cells: Cells, random: Random) -> None:
    cells[Column.EMAIL] = random.choice(("", " "))


def _too_many_cells(cells: Cells, random: Random) -> None:
    cells += ["extra"] * random.randint(1, 3)


def _too_few_cells(cells: Cells, random: Random) -> None:
    del cells[random.randint(2, len(cells) - 1) :]


def _too_long_text(cells: Cells, random: Random) -> None:
    cells[Column.HOME_CITY] = ("nowhere near " * 50)[:600]


PROBLEMS: tuple[ProblemFunction, ...] = (
    _bad_email,
    _bad_phone,
    _bad_country,
    _impossible_date,
    _text_in_score,
    _blank_email,
    _too_many_cells,
    _too_few_cells,
    _too_long_text,
)
