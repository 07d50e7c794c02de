"""Invented people for the demo, the tests and the benchmark: varied, dirty as real files are, and always the same.

A person is a function of (seed, series, number). Row n of a plain file is person n of the series KNOWN, however long
the file. A file with a share of known people takes at each row either that same person or person n of the series FRESH,
whose e-mail no plain file ever has. An e-mail holds seed, series and number, so it is unique by construction, and its
host lies under the domains reserved for examples, so nobody can be written to. Names and cities come from Faker:
another version of Faker may give other people.
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

MAX_NUMBER = 2**63 - 1  # a seed stands in every host name, whose parts end at 63 characters
BATCH_SIZE = 2000  # rows made and written at once; part of what a seed means, since every batch has noise of its own
POOL_SIZE = 200  # names of a kind, and cities, asked of each locale
DRAWS_FORMAT = struct.Struct("<10HI")  # one person's noise: ten choices of 65,536, and one finer for the day of birth
NOISY_SHARE = 65_536 * 15 // 100  # people with one piece of dirt, of 65,536
STYLED_PHONE_SHARE = 65_536 * 10 // 100
RANDOM_GENDER_EVERY = (
    16  # one person in so many has a gender by chance, not by first name; shares no factor with those five
)
GENDERS = "MFONP"
PLANS = ("free", "basic", "silver", "gold", "platinum")
SCORES = tuple(str(score) for score in range(1001))
SCORE_STEP = 137  # shares no factor with 1001: a score comes back only after as many versions
SUBSCRIBERS = 10**8  # telephone numbers of one area; a person's number is unique up to half of this many rows
PHONE_STEP = 61_803_399  # shares no factor with SUBSCRIBERS: neighbours get numbers far apart, never the same
BIRTH_DAYS = range(date(1938, 1, 1).toordinal(), date(2008, 1, 1).toordinal())
BIRTH_DATES = tuple(date.fromordinal(day).isoformat() for day in BIRTH_DAYS)


class Sink(Protocol):
    """Where the text goes: a file opened with `newline=""`, or anything else with a `write`."""

    def write(self, text: str, /) -> object: ...


class Series(enum.StrEnum):
    """Which people; the value stands before the number in their e-mails."""

    KNOWN = "."
    FRESH = "_"


class Name(NamedTuple):
    """A name, its form in plain Latin letters for an e-mail, and the gender that goes with it (blank for a family)."""

    text: str
    handle: str
    gender: str


@dataclass(frozen=True, slots=True)
class Locale:
    """A locale of Faker, and what its people share. Calling code, area and eight digits look like a mobile number."""

    faker: str
    country: str
    language: str
    calling: str
    area: str


class LocalePools(NamedTuple):
    """A locale with the pools that its people are combined from."""

    locale: Locale
    phone_prefix: str
    givens: tuple[Name, ...]
    families: tuple[Name, ...]
    cities: tuple[str, ...]


class Person(NamedTuple):
    """Someone before any cell is made, so that rows left out and versions cost next to nothing."""

    series: Series
    number: int
    draws: tuple[int, ...]  # one per field of DRAWS


LOCALES = (  # not it_IT: Faker keeps its cities in a set, so that a seed gives others in every process
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

    known: share of rows, spread evenly, that hold the person of the same row of this seed's plain file (known=0), one
        version on, so with another city, plan and score. All other rows hold people whom no plain file has. 0 is the
        plain file itself.
    bad: share of rows with one problem each, the kinds in `dirt.PROBLEMS` taking turns.
    twice: share of rows that repeat, one version on, one of the last `BATCH` people who had a sound row of their own.
    version: the same people in the same order, each with another city, plan and score than in the version before.

    Shares are kept to the row; only a row that has nobody before it to repeat stays as it is. Raises ValueError for
    rows or version below 1, a seed below 0 or above 2^63 - 1, a share outside 0..1, and bad + twice above 1.
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
        familiar = set(_drawn(random, known, start, size))
        troubled = _drawn(random, bad + twice, start, size)
        spoiled = set(troubled[: _count(bad, start, size)])
        repeated = set(troubled) - spoiled
        for at, person in enumerate(_chosen(population, start, size, familiar if known else None)):
            shown = version + (at in familiar)
            if at in spoiled:
                cells = population.cells(person, shown)
                next(problems)(cells, random)
                yield cells
            elif at in repeated and recent:
                earlier, seen = recent[random.randrange(len(recent))]
                yield population.cells(earlier, seen + 1)
            else:
                recent.append((person, shown))
                yield population.cells(person, shown)


def _count(share: float, start: int, size: int) -> int:
    """How many rows of this batch make the share true, to the row, for the file so far."""
    return min(size, round((start + size) * share) - round(start * share))


def _drawn(random: Random, share: float, start: int, size: int) -> list[int]:
    return random.sample(range(size), _count(share, start, size))


def _chosen(population: "Population", start: int, size: int, familiar: set[int] | None) -> Iterable[Person]:
    """The people of one batch. `familiar`: the places in it that known people have; None means all, a plain file."""
    plain = population.people(Series.KNOWN, start, size)
    if familiar is None:
        return plain
    fresh = population.people(Series.FRESH, start, size)
    return (old if at in familiar else new for at, (old, new) in enumerate(zip(plain, fresh, strict=True)))


class Population:
    """All people of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.places = _places(seed)
        self.hosts = [
            f"{word}{seed}.example.{top}" for word in ("mail", "post", "home", "web") for top in ("com", "org", "net")
        ]

    def people(self, series: Series, start: int, size: int) -> list[Person]:
        """The people start + 1 to start + size of a series. `start` is a multiple of BATCH, `size` at most BATCH."""
        numbers = range(start + 1, start + size + 1)
        noise = Random(f"{self.seed}/{series.name}/{start}").randbytes(DRAWS_FORMAT.size * BATCH_SIZE)
        return [
            Person(series, number, draws)
            for number, draws in zip(numbers, DRAWS_FORMAT.iter_unpack(noise), strict=False)
        ]

    def cells(self, person: Person, version: int) -> Cells:
        """The row of a person. City, plan and score of one version are never those of the version before."""
        series, number, (where, given_at, family_at, host, city_at, plan_at, score_at, style, dirt, rare, day) = person
        locale, phone_prefix, givens, families, cities = self.places[where % len(self.places)]
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
        if dirt < NOISY_SHARE:
            NOISE[dirt % len(NOISE)](cells, number)
            if steps:  # a blank would change nothing, and a later version must
                for column, text in ((Column.HOME_CITY, city), (Column.PLAN, plan), (Column.SCORE, score)):
                    cells[column] = cells[column] or text
        return cells


def _places(seed: int) -> list[LocalePools]:
    latin = [name.handle for name in _place(LOCALES[0], seed, []).families]
    return [_place(locale, seed, latin) for locale in LOCALES]


def _place(locale: Locale, seed: int, latin: list[str]) -> LocalePools:
    faker = Faker(locale.faker, use_weighting=False)
    faker.seed_instance(seed)
    return LocalePools(
        locale,
        phone_prefix=f"+{locale.calling}{locale.area}",
        givens=_names(_pool(faker.first_name_female), latin, "F") + _names(_pool(faker.first_name_male), latin, "M"),
        families=_names(_pool(faker.last_name), latin, ""),
        cities=tuple(_pool(faker.city)),
    )


def _pool(ask: Callable[[], str]) -> list[str]:
    """What the locale gives, each once, in the order of asking: a set's order would differ from run to run."""
    return list(dict.fromkeys(ask().strip() for _ in range(POOL_SIZE)))


def _names(texts: list[str], latin: list[str], gender: str) -> tuple[Name, ...]:
    """Names of other scripts borrow the Latin letters of somebody else, as in life."""
    return tuple(Name(text, _handle(text) or latin[at % len(latin)], gender) for at, text in enumerate(texts))


def _handle(text: str) -> str:
    return re.sub("[^a-z]", "", unicodedata.normalize("NFKD", text.casefold()))[:16]
