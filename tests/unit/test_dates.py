"""Dates and times as texts (requirements section 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.values import dates

NOON = "12:00:00"
INSTANT = "2023-12-25T18:30:00Z"
# Hypothesis wants bounds without a zone.
FIRST, LAST = datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30")
YEAR_1900, YEAR_2100 = datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2100-01-01")
quick = settings(max_examples=150, deadline=None)

dateish = st.text(alphabet="0123456789-/:.TZ+ $D_Decjan", max_size=30)
any_text = st.text(max_size=60) | dateish
date_formats = st.sampled_from([None, *sorted(dates.KNOWN_FORMATS)])


def instant(text: str, date_format: str | None = None, zone: str = "UTC", iso: bool = True) -> str | None:
    return dates.instant_reader(date_format, zone, NOON, iso)(text)


def day(text: str, date_format: str | None = None, zone: str = "UTC", iso: bool = True) -> str | None:
    return dates.day_reader(date_format, zone, iso)(text)


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("dd/MM/yyyy HH:mm:ss", "25/12/2023 18:30:00"),
        ("MM/dd/yyyy HH:mm:ss", "12/25/2023 18:30:00"),
        ("yyyy/dd/MM HH:mm:ss", "2023/25/12 18:30:00"),
        ("yyyy/MM/dd HH:mm:ss", "2023/12/25 18:30:00"),
        ("dd MMM yyyy HH:mm:ss", "25 Dec 2023 18:30:00"),
        ("dd MMM yyyy HH:mm:ss", "25 DEC 2023 18:30:00"),
        ("Unix time", "1703529000"),
        ("UNIX", "1703529000"),
        ("unix", "1703529000"),
    ],
)
def test_dt_01_to_06_every_declared_format_gives_the_same_instant(date_format: str, text: str) -> None:
    assert instant(text, date_format) == INSTANT
    assert day(text, date_format) == "2023-12-25"


def test_dt_06_unix_time_is_seconds() -> None:
    assert instant("1487576752", "Unix time") == "2017-02-20T07:45:52Z"
    assert instant("-86400", "Unix time") == "1969-12-31T00:00:00Z"


@pytest.mark.parametrize("text", ["1487576752000", "148757675200", "1487576752.5", "+1487576", "1e9", "-99999999999"])
def test_dt_06_milliseconds_and_other_numbers_are_not_unix_time(text: str) -> None:
    assert instant(text, "Unix time") is None


def test_bare_seconds_are_no_date_where_no_unix_time_is_declared() -> None:
    assert instant("1487576752") is None
    assert day("20231225") is None


@pytest.mark.parametrize("text", ["25-12-2023", "2023/12/25", "25.12.2023", "25/12/23", "5/12/2023", "25/12/2023x", ""])
def test_dt_07_every_other_format_is_no_date(text: str) -> None:
    assert instant(text, "dd/MM/yyyy HH:mm:ss") is None
    assert day(text, "dd/MM/yyyy HH:mm:ss") is None


def test_dt_07_an_unknown_format_is_not_offered() -> None:
    assert "yyyy-MM-dd" not in dates.KNOWN_FORMATS
    assert "DD/MM/YYYY HH:mm:ss" not in dates.KNOWN_FORMATS
    with pytest.raises(ValueError, match="Unknown date format"):
        dates.day_reader("yyyy-MM-dd", "UTC", iso=True)


def test_dt_08_a_missing_time_of_day_is_noon() -> None:
    assert instant("25/12/2023", "dd/MM/yyyy HH:mm:ss") == "2023-12-25T12:00:00Z"


def test_d_15_the_default_time_can_be_chosen() -> None:
    read = dates.instant_reader("dd/MM/yyyy", "UTC", "00:00:00", iso=True)
    assert read("25/12/2023") == "2023-12-25T00:00:00Z"
    with pytest.raises(ValueError, match="default time"):
        dates.instant_reader("dd/MM/yyyy", "UTC", "noon", iso=True)


def test_d_15_an_iso_day_is_midnight_as_an_instant() -> None:
    assert instant("2019-11-20") == "2019-11-20T00:00:00Z"


@pytest.mark.parametrize("time", ["06:25:32 PM", "24:00:00", "23:60:00", "23:59:60", "6:25:32", "18:25", "10:00+01"])
def test_dt_09_the_clock_has_24_hours(time: str) -> None:
    assert instant("25/12/2023 18:25:32", "dd/MM/yyyy HH:mm:ss") == "2023-12-25T18:25:32Z"
    assert instant(f"25/12/2023 {time}", "dd/MM/yyyy HH:mm:ss") is None
    assert day(f"25/12/2023 {time}", "dd/MM/yyyy HH:mm:ss") is None
    assert instant(f"2023-12-25T{time}") is None


def test_dt_11_the_bracket_may_hold_the_day_alone() -> None:
    assert instant("14/04/1990", "dd/MM/yyyy") == "1990-04-14T12:00:00Z"
    assert instant("14/04/1990 08:00:00", "dd/MM/yyyy") == "1990-04-14T08:00:00Z"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2019-11-20", "2019-11-20T00:00:00Z"),
        ("2019-11-20T18:38:57+00:00", "2019-11-20T18:38:57Z"),
        ("2019-11-20T18:38:57Z", "2019-11-20T18:38:57Z"),
        ("2019-11-20T18:38:57", "2019-11-20T18:38:57Z"),
    ],
)
def test_dt_12_the_four_iso_shapes(text: str, stored: str) -> None:
    assert instant(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "20.11.2019",
        "20/11/2019",
        "20191120",
        "20191120T183857Z",
        "2019-W47-3",
        "2019-324",
        "2019-11-20 18:38:57",
        "2019-11-20t18:38:57z",
        "2019-11-20T18:38Z",
        "2019-11-20T18:38:57+0100",
        "2019-11-20T18:38:57+01",
        "2019-11-20T18:38:57,5Z",
        "2019-11-20T18:38:57Z\n",
        "2019-11-31T00:00:00Z",
        "2019-02-29",
        "0000-01-01",
        "99999-01-01",
        "٢٠١٩-11-20",
        "9" * 10_000,
    ],
)
def test_dt_12_other_shapes_are_refused(text: str) -> None:
    assert instant(text) is None
    assert day(text) is None


def test_dt_13_a_day_is_no_instant() -> None:
    assert day("1980-12-21") == "1980-12-21"
    assert day("1980-12-21T00:00:00") is None


def test_dt_14_an_offset_is_taken_into_account() -> None:
    assert instant("2024-02-29T10:00:00+02:00") == "2024-02-29T08:00:00Z"
    assert instant("2024-02-29T23:30:00-05:30") == "2024-03-01T05:00:00Z"


def test_fractions_of_a_second_are_cut_off() -> None:
    assert instant("2024-02-29T10:00:00.999999Z") == "2024-02-29T10:00:00Z"
    assert instant("2024-02-29T10:00:00.999+02:00") == "2024-02-29T08:00:00Z"


@pytest.mark.parametrize("date_format", [None, "dd/MM/yyyy", "Unix time"])
@pytest.mark.parametrize("iso", [True, False])
def test_dt_15_marked_seconds_are_a_date_everywhere(date_format: str | None, iso: bool) -> None:
    assert day("$D_1487576752", date_format, iso=iso) == "2017-02-20"
    assert instant("$D_1487576752", date_format, iso=iso) == "2017-02-20T07:45:52Z"


@pytest.mark.parametrize("text", ["$D_", "$D_x", "$d_1487576752", "$D_1487576752000", "$D_ 1", "D_1487576752"])
def test_dt_15_other_marks_are_not(text: str) -> None:
    assert instant(text) is None


def test_dt_17_day_and_month_are_never_guessed() -> None:
    assert instant("12/25/2023", "dd/MM/yyyy HH:mm:ss") is None
    assert instant("25/12/2023", "MM/dd/yyyy HH:mm:ss") is None


def test_dt_19_texts_without_zone_use_the_configured_one() -> None:
    assert instant("25/12/2023", "dd/MM/yyyy", "Asia/Kolkata") == "2023-12-25T06:30:00Z"
    assert instant("2023-12-25T18:30:00", None, "Asia/Kolkata") == "2023-12-25T13:00:00Z"
    assert instant("2023-12-25T18:30:00Z", None, "Asia/Kolkata") == "2023-12-25T18:30:00Z"
    assert instant("1703529000", "Unix time", "Asia/Kolkata") == INSTANT


def test_unix_seconds_fall_on_a_day_of_the_configured_zone() -> None:
    assert day("1703529000", "Unix time", "Asia/Kolkata") == "2023-12-26"
    assert day("25/12/2023 23:30:00", "dd/MM/yyyy", "Asia/Kolkata") == "2023-12-25"


def test_an_unknown_zone_is_refused_before_any_text() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        dates.day_reader(None, "Mars/Base", iso=True)


def test_d_14_the_declared_format_comes_first_then_iso() -> None:
    assert instant("2023-12-25T18:30:00Z", "dd/MM/yyyy") == INSTANT
    assert instant("2023-12-25T18:30:00Z", "dd/MM/yyyy", iso=False) is None
    assert day("2023-12-25", "dd/MM/yyyy", iso=False) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
def test_years_beyond_the_calendar_are_refused(text: str) -> None:
    assert instant(text) is None
    assert instant(text[:19], None, "Asia/Kolkata" if text.startswith("0001") else "America/New_York") is None


@quick
@given(any_text, date_formats, st.sampled_from(["UTC", "Asia/Kolkata", "America/Lima"]))
def test_any_text_is_a_date_or_none(text: str, date_format: str | None, zone: str) -> None:
    stored = instant(text, date_format, zone)
    assert stored is None or (len(stored) == 20 and instant(stored) == stored)
    stored = day(text, date_format, zone)
    assert stored is None or (len(stored) == 10 and day(stored) == stored)


@quick
@given(st.datetimes(FIRST, LAST, timezones=st.timezones()))
def test_every_instant_survives_its_iso_form(moment: datetime) -> None:
    offset = moment.utcoffset()
    if offset is not None and offset % timedelta(minutes=1):
        return  # zones of the nineteenth century have offsets with seconds, which no shape can write
    utc = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    assert instant(moment.isoformat()) == f"{utc.isoformat()}Z"


@quick
@given(
    st.datetimes(YEAR_1900, YEAR_2100),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y/%d/%m", "%Y/%m/%d"]),
    st.sampled_from(["Europe/London", "Asia/Kolkata", "America/New_York"]),
)
def test_slicing_reads_what_strftime_writes(moment: datetime, pattern: str, zone: str) -> None:
    date_format = pattern.replace("%d", "dd").replace("%m", "MM").replace("%Y", "yyyy") + " HH:mm:ss"
    expected = moment.replace(microsecond=0, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert instant(moment.strftime(pattern + " %H:%M:%S"), date_format, zone) == expected.strftime("%Y-%m-%dT%H:%M:%SZ")


@quick
@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=5))
def test_the_order_of_stored_instants_is_the_order_of_time(moments: list[datetime]) -> None:
    whole = sorted(moment.replace(microsecond=0) for moment in moments)
    stored = [instant(moment.isoformat()) for moment in whole]
    assert stored == sorted(stored, key=str)


@pytest.mark.parametrize("text", ["$D_1487576752", "$D_0", "$D_-1"])
def test_dt_15_marks_are_a_date_where_they_are_taken(text: str) -> None:
    for marked in (True, False):
        assert bool(dates.day_reader(None, "UTC", True, marked)(text)) is marked
        assert bool(dates.instant_reader(None, "UTC", "12:00:00", True, marked)(text)) is marked


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("2019-11-20", True),
        ("2019-11-20T18:38:57", True),
        ("2019-11-20T18:38:57Z", True),
        ("2019-11-20T18:38:57+00:00", True),
        ("2019-11-20T18:38:57+02:00", False),
        ("2019-11-20T18:38:57.5Z", False),
        ("2019-11-20 18:38:57", False),
        ("20.11.2019", False),
        ("$D_1487576752", False),
    ],
)
def test_dt_12_exactly_four_shapes(text: str, is_one: bool) -> None:
    assert bool(dates.has_iso_shape(text)) is is_one
