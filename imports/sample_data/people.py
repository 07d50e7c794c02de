"""Generate people for the demo, the tests and the benchmark: varied, as noisy as real files, and reproducible.

A person is a function of (seed, series, number). Row n of a plain file is person n of the series KNOWN, however long
the file. Row n of a file with a share of known people is either that same person or person n of the series FRESH, whose
e-mail is in no plain file. An e-mail contains seed, series and number, so it is unique by construction, and its host is
in the domains reserved for examples, so it reaches nobody. Names and cities come from Faker: another version of Faker
may give other people.
"""

import csv
import enum
import io
import itertools
import re
import struct
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import NamedTuple, Protocol

from faker import Faker

from imports.sample_data.noise import NOISE, PROBLEMS, Cells, Column, styled_phone

MAX_NUMBER = 2**63 - 1  # the seed is part of every host name, whose labels have at most 63 characters
BATCH_SIZE = 2000  # rows generated and written at once; a seed gives other noise with another size
POOL_SIZE = 200  # names of each kind, and cities, requested from each locale
DRAWS_FORMAT = struct.Struct("<10HI")  # a person's random choices: ten of 65,536 values, a finer one for the birthday
NOISY_SHARE = 65_536 * 15 // 100  # people with one kind of noise, of 65,536
STYLED_PHONE_SHARE = 65_536 * 10 // 100
RANDOM_GENDER_EVERY = 16  # one person in 16 has a random gender, not that of the first name; coprime to len(GENDERS)
GENDERS = "MFONP"
PLANS = ("free", "basic", "silver", "gold", "platinum")
SCORES = tuple(str(score) for score in range(1001))
SCORE_STEP = 137  # coprime to 1001: a score returns only after 1001 versions
SUBSCRIBERS = 10**8  # telephone numbers of an area; those of people are unique in up to half as many rows
PHONE_STEP = 61_803_399  # coprime to SUBSCRIBERS: successive people get numbers far apart, never the same
BIRTH_DAYS = range(date(1938, 1, 1).toordinal(), date(2008, 1, 1).toordinal())
BIRTH_DATES = tuple(date.fromordinal(day).isoformat() for day in BIRTH_DAYS)


class Sink(Protocol):
    """The target of the text: a file opened with `newline=""`, or any object with a method `write`."""

    def write(self, text: str, /) -> object: ...


class Series(enum.StrEnum):
    """A series of people; the value precedes the number in their e-mails."""

    KNOWN = "."
    FRESH = "_"


class Name(NamedTuple):
    """A name, its form in basic Latin letters for an e-mail, and its gender (blank for a family name)."""

    text: str
    handle: str
    gender: str


@dataclass(frozen=True, slots=True)
class Locale:
    """A locale of Faker, and what its people share. Calling code, area and eight digits form a mobile number."""

    faker: str
    country: str
    language: str
    calling: str
    area: str


class LocalePools(NamedTuple):
    """A locale with the names and cities that its people are combined from."""

    locale: Locale
    phone_prefix: str
    givens: tuple[Name, ...]
    families: tuple[Name, ...]
    cities: tuple[str, ...]


class Person(NamedTuple):
    """A person whose cells are not generated yet, so that skipped rows and versions cost almost nothing."""

    series: Series
    number: int
    draws: tuple[int, ...]  # one per field of DRAWS_FORMAT


LOCALES = (  # without it_IT: Faker has its cities in a set, so that a seed gives other cities in every process
    Locale("en_US", "US", "en", "1", "21"),
    Locale("en_GB", "GB", "en", "44", "77"),
    Locale("de_DE", "DE", "de", "49", "151"),
    Locale("fr_FR", "FR", "fr", "33", "6"),
    Locale("es_ES", "ES", "es", "34", "6"),
    Locale("cs_CZ", "CZ", "cs", "420", "7"),
    Locale("pt_BR", "BR", "pt", "55", "119"),
    Locale("pl_PL", "PL", "pl", "48", "6"),
    Locale("nl_NL", "NL", "nl", "31", "6"),
    Locale("sv_SE", "SE", "sv", "46", "7"),
    Locale("el_GR", "GR", "el", "30", "69"),
    Locale("uk_UA", "UA", "uk", "380", "6"),
    Locale("ja_JP", "JP", "ja", "81", "90"),
    Locale("hi_IN", "IN", "hi", "91", "98"),
    Locale("ar_DZ", "DZ", "ar", "213", "5"),
    Locale("he_IL", "IL", "he", "972", "5"),
)


def write_people(
    rows: int, stream: Sink, seed: int, known: float = 0, bad: float = 0, twice: float = 0, version: int = 1
) -> None:
    """Write a header and `rows` people as CSV, lines ended by LF. Memory does not grow with `rows`.

    known: share of rows, spread evenly, with the person of the same row of this seed's plain file (known=0), in the
        next version, so with another city, plan and score. All other rows have people who are in no plain file. 0
        gives the plain file itself.
    bad: share of rows with one problem each, of the kinds of `noise.PROBLEMS` in turn.
    twice: share of rows that repeat, in the next version, one of the last `BATCH_SIZE` people with a valid row.
    version: the same people in the same order, each with another city, plan and score than in the previous version.

    Shares are exact to the row, except that a row with no earlier person to repeat does not repeat one. Raise
    ValueError for rows or version outside 1..2^63 - 1, a seed outside 0..2^63 - 1, a share outside 0..1, and
    bad + twice above 1.
    """
    _check(rows, seed, version, {"known": known, "bad": bad, "twice": twice, "bad + twice": bad + twice})
    lines = _lines(rows, seed, known, bad, twice, version)
    stream.write(",".join(column.name.lower() for column in Column) + "\n")
    while text := _text(itertools.islice(lines, BATCH_SIZE)):
        stream.write(text)


def _check(rows: int, seed: int, version: int, shares: dict[str, float]) -> None:
    for name, number, least in (("rows", rows, 1), ("seed", seed, 0), ("version", version, 1)):
        if not least <= number <= MAX_NUMBER:
            raise ValueError(f"{name} must be between {least} and {MAX_NUMBER}, not {number}")
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be between 0 and 1, not {share}")


def _text(lines: Iterable[Cells]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _lines(rows: int, seed: int, known: float, bad: float, twice: float, version: int) -> Iterator[Cells]:
    population = Population(seed)
    problems = itertools.cycle(PROBLEMS)
    recent: deque[tuple[Person, int]] = deque(maxlen=BATCH_SIZE)
    for start in range(0, rows, BATCH_SIZE):
        size = min(BATCH_SIZE, rows - start)
        random = Random(f"{seed}/rows/{start}")
        known_rows = set(_sample(random, known, start, size))
        special_rows = _sample(random, bad + twice, start, size)
        bad_rows = set(special_rows[: _count(bad, start, size)])
        repeating_rows = set(special_rows) - bad_rows
        for at, person in enumerate(_people(population, start, size, known_rows if known else None)):
            person_version = version + (at in known_rows)
            if at in bad_rows:
                cells = population.cells(person, person_version)
                next(problems)(cells, random)
                yield cells
            elif at in repeating_rows and recent:
                earlier, earlier_version = recent[random.randrange(len(recent))]
                yield population.cells(earlier, earlier_version + 1)
            else:
                recent.append((person, person_version))
                yield population.cells(person, person_version)


def _count(share: float, start: int, size: int) -> int:
    """Return how many rows of this batch make the share exact, to the row, for the file up to its end."""
    return min(size, round((start + size) * share) - round(start * share))


def _sample(random: Random, share: float, start: int, size: int) -> list[int]:
    return random.sample(range(size), _count(share, start, size))


def _people(population: "Population", start: int, size: int, known_rows: set[int] | None) -> Iterable[Person]:
    """Return the people of a batch. `known_rows`: the indexes of known people; None means all, a plain file."""
    plain = population.people(Series.KNOWN, start, size)
    if known_rows is None:
        return plain
    fresh = population.people(Series.FRESH, start, size)
    return (old if at in known_rows else new for at, (old, new) in enumerate(zip(plain, fresh, strict=True)))


class Population:
    """All people of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pools = _all_pools(seed)
        self.hosts = [
            f"{word}{seed}.example.{top}" for word in ("mail", "post", "home", "web") for top in ("com", "org", "net")
        ]

    def people(self, series: Series, start: int, size: int) -> list[Person]:
        """Return the people start + 1 to start + size of a series.

        `start` is a multiple of BATCH_SIZE, `size` at most BATCH_SIZE.
        """
        numbers = range(start + 1, start + size + 1)
        draws_of_batch = Random(f"{self.seed}/{series.name}/{start}").randbytes(DRAWS_FORMAT.size * BATCH_SIZE)
        return [
            Person(series, number, draws)
            for number, draws in zip(numbers, DRAWS_FORMAT.iter_unpack(draws_of_batch), strict=False)
        ]

    def cells(self, person: Person, version: int) -> Cells:
        """Return the row of a person. City, plan and score always differ from those of the previous version."""
        series, number, (where, given_at, family_at, host, city_at, plan_at, score_at, style, noise, rare, day) = person
        locale, phone_prefix, givens, families, cities = self.pools[where % len(self.pools)]
        given, given_handle, gender = givens[given_at % len(givens)]
        family, family_handle, _ = families[family_at % len(families)]
        steps = version - 1
        city = cities[(city_at + steps) % len(cities)]
        plan = PLANS[(plan_at + steps) % len(PLANS)]
        score = SCORES[(score_at + steps * SCORE_STEP) % len(SCORES)]
        subscriber = f"{(2 * number + self.seed + (series is Series.FRESH)) * PHONE_STEP % SUBSCRIBERS:08}"
        cells = [
            f"{given_handle}.{family_handle}{series}{number}@{self.hosts[host % len(self.hosts)]}",
            given,
            family,
            phone_prefix + subscriber,
            locale.country,
            locale.language,
            city,
            BIRTH_DATES[day % len(BIRTH_DATES)],
            gender if rare % RANDOM_GENDER_EVERY else GENDERS[rare % len(GENDERS)],
            plan,
            score,
        ]
        if style < STYLED_PHONE_SHARE:
            cells[Column.PHONE] = styled_phone(locale.calling, locale.area, subscriber, style)
        if noise < NOISY_SHARE:
            NOISE[noise % len(NOISE)](cells, number)
            if steps:  # a later version must change these, which a blank would not
                for column, text in ((Column.HOME_CITY, city), (Column.PLAN, plan), (Column.SCORE, score)):
                    cells[column] = cells[column] or text
        return cells


def _all_pools(seed: int) -> list[LocalePools]:
    latin = [name.handle for name in _pools(LOCALES[0], seed, []).families]
    return [_pools(locale, seed, latin) for locale in LOCALES]


def _pools(locale: Locale, seed: int, latin: list[str]) -> LocalePools:
    faker = Faker(locale.faker, use_weighting=False)
    faker.seed_instance(seed)
    return LocalePools(
        locale,
        phone_prefix=f"+{locale.calling}{locale.area}",
        givens=_names(_pool(faker.first_name_female), latin, "F") + _names(_pool(faker.first_name_male), latin, "M"),
        families=_names(_pool(faker.last_name), latin, ""),
        cities=tuple(_pool(faker.city)),
    )


def _pool(generate: Callable[[], str]) -> list[str]:
    """Return distinct generated texts in the order of generation; the order of a set would differ between runs."""
    return list(dict.fromkeys(generate().strip() for _ in range(POOL_SIZE)))


def _names(texts: list[str], latin: list[str], gender: str) -> tuple[Name, ...]:
    """Return names with their handles; names in other scripts get the handle of a Latin name."""
    return tuple(Name(text, _handle(text) or latin[at % len(latin)], gender) for at, text in enumerate(texts))


def _handle(text: str) -> str:
    return re.sub("[^a-z]", "", unicodedata.normalize("NFKD", text.casefold()))[:16]
