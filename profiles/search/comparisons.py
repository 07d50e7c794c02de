"""Compare an attribute with a value that a user typed, in PostgreSQL.

Where the order matters, the value is read by the type of the attribute (`profiles.values`); for equality, texts are
compared, so that `1` finds the number 1 (SG-02, D-21). An attribute that is a list meets a condition if one of its
values does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.db.models import BooleanField, Case, Func, Q, TextField, Value, When
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, IContains, In, IsNull, LessThan, Regex
from django.utils import timezone

from profiles.attributes.filter_index import INDEXED_CHARACTERS, NUMERIC_TYPES, indexed_text, number_of, raw_of, text_of
from profiles.models import Identifier
from profiles.schema import Definition, Schema
from profiles.search.conditions import FIRST_YEAR, LAST_YEAR, AttributeCondition, InvalidCondition, Operator
from profiles.values.parsers import matching_form, parser
from profiles.values.types import InvalidValue, PhoneFormat, ValueOptions, ValueType

DATE_TYPES = frozenset({ValueType.DATE, ValueType.DATETIME})
CLOSED_LIST_TYPES = frozenset(
    {
        ValueType.BOOLEAN,
        ValueType.GENDER,
        ValueType.YES_NO,
        ValueType.EDUCATION,
        ValueType.COUNTRY,
        ValueType.LANGUAGE,
        ValueType.TIME_ZONE,
        ValueType.SUBSCRIPTION,
    }
)
"""Types with a closed list of values: a value outside of the list is an error, since nobody can have it."""

MAX_VALUE_LENGTH = 10_000

FilterExpression = Q | Any
"""An argument of ``QuerySet.filter``."""


def compare(condition: AttributeCondition, schema: Schema) -> FilterExpression:
    """Return the test of a condition on one attribute. Raises ``InvalidCondition``."""
    definition = schema.definitions.get(condition.key)
    if definition is None:
        raise InvalidCondition("There is no such attribute any more; remove this filter.", "attribute")
    match condition.operator:
        case Operator.EXISTS:
            return _exists(definition)
        case Operator.MISSING:
            return ~_exists(definition)
        case Operator.EQUALS:
            return _equals(definition, condition.value)
        case Operator.CONTAINS:
            return _contains(definition, condition.value)
        case Operator.GREATER | Operator.LESS:
            return _ordered(definition, condition.operator, _number(definition, condition.value))
    return _before_or_after(definition, condition.operator, condition.value)


def matching_forms(text: str, type_: ValueType) -> list[str]:
    """Return the matching forms that a text may have as a value of a channel; none if it is not such a value.

    A national number may be stored as such, or as a number of the site's country; files of digits contain short ones
    too (D-19).
    """
    forms: dict[str, None] = {}
    for options in (replace(_options(), default_country=None), _options(), _DIGITS):
        try:
            forms[matching_form(type_, parser(type_, options)(text))] = None
        except InvalidValue:
            continue
    return list(forms)


_DIGITS = ValueOptions(phone_format=PhoneFormat.DIGITS)


def start_of_day(day: date) -> datetime:
    """Return the midnight at which a day starts in the current time zone."""
    return timezone.make_aware(datetime.combine(day, time()))


def _exists(definition: Definition) -> Q:
    if definition.multi_valued:
        return Q(attributes__has_key=definition.key)
    values = number_of(definition.key) if definition.type in NUMERIC_TYPES else indexed_text(definition.key)
    return Q(IsNull(values, False))


def _equals(definition: Definition, value: str) -> FilterExpression:
    if definition.is_lookup_ready:
        forms = matching_forms(value, definition.type) or [_parsed(definition, value)]
        return Q(pk__in=Identifier.objects.filter(kind=definition.key, value__in=forms).values("profile_id"))
    if definition.multi_valued:
        return _has_element(definition, value)
    if definition.type in NUMERIC_TYPES:
        return Exact(number_of(definition.key), _number(definition, value))
    if definition.type is ValueType.DATETIME and _IS_DAY(value.strip()):
        values, (first, after) = indexed_text(definition.key), _span(definition, value)
        return Q(GreaterThanOrEqual(values, first)) & Q(LessThan(values, after))
    parse = _parsed if definition.type in CLOSED_LIST_TYPES else _parsed_or_unchanged
    texts = sorted({value, _text(parse(definition, value))})
    short = In(indexed_text(definition.key), [text[:INDEXED_CHARACTERS] for text in texts])
    whole = In(text_of(definition.key), texts)
    return Q(short) & Q(whole) if max(map(len, texts)) >= INDEXED_CHARACTERS else short


def _has_element(definition: Definition, value: str) -> Q:
    """Return the test for a list with a value that is this text, or the number or boolean written like it."""
    parsed = _parsed_or_unchanged(definition, value)
    forms = {orjson.dumps([form]).decode() for form in (value, parsed, _scalar(value))}
    test = Q()
    for form in sorted(forms):
        test |= Q(_Contains(raw_of(definition.key), Value(form)))
    return test


def _contains(definition: Definition, value: str) -> FilterExpression:
    if not definition.multi_valued:
        return IContains(text_of(definition.key), value)
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", value) + "%"
    return _Element(_elements(definition), Value(pattern), arg_joiner=_ELEMENT + "upper(e.v #>> '{}') LIKE upper(")


def _ordered(definition: Definition, operator: Operator, number: Decimal) -> FilterExpression:
    if not definition.multi_valued:
        compared = GreaterThan if operator is Operator.GREATER else LessThan
        return compared(number_of(definition.key), number)
    sign = ">" if operator is Operator.GREATER else "<"
    joiner = f"{_ELEMENT}CASE WHEN jsonb_typeof(e.v) = 'number' THEN (e.v)::numeric END {sign} ("
    return _Element(_elements(definition), Value(number), arg_joiner=joiner)


def _before_or_after(definition: Definition, operator: Operator, value: str) -> FilterExpression:
    """Return the test of a date. Days and instants are stored in fixed width, so their texts sort in order of time."""
    if definition.type not in DATE_TYPES:
        raise InvalidCondition(
            f"“Before” and “after” compare dates; this attribute holds {_type_words(definition)}.", "operator"
        )
    first, last = _span(definition, value)
    if definition.multi_valued:
        sign, bound = ("<", first) if operator is Operator.BEFORE else (">=", last)
        joiner = f"{_ELEMENT}e.v #>> '{{}}' ~ '{_DAY}' AND (e.v #>> '{{}}') COLLATE \"C\" {sign} ("
        return _Element(_elements(definition), Value(bound), arg_joiner=joiner)
    values = indexed_text(definition.key)
    order = LessThan(values, first) if operator is Operator.BEFORE else GreaterThanOrEqual(values, last)
    return Q(order) & Q(Regex(values, _DAY))  # the value may be a text that could not be read as a date


def _span(definition: Definition, value: str) -> tuple[str, str]:
    """Return the first stored text that is not before the typed day or moment, and the first one after it.

    A day extends from midnight to midnight in the current time zone.
    """
    text = value.strip()
    if definition.type is ValueType.DATE or not _IS_DAY(text):
        stored = str(_parsed(definition, text))
        return stored, stored + " "  # no text is between the two
    day = date.fromisoformat(str(_read(lambda: parser(ValueType.DATE, _options())(text))))
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidCondition(f"Enter a date between the years {FIRST_YEAR} and {LAST_YEAR}.", "value")
    first, last = (start_of_day(each).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    return f"{first:%Y-%m-%dT%H:%M:%SZ}", f"{last:%Y-%m-%dT%H:%M:%SZ}"


_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_IS_DAY = re.compile(_DAY + "$").match
_ELEMENT = ") AS e(v) WHERE "


class _Contains(Func):
    """Whether a list contains a value. For one value, containment means equality; for whole lists it would not."""

    template = "(%(expressions)s)"
    arg_joiner = " @> "
    output_field = BooleanField()


class _Element(Func):
    """Whether one value of a list passes the test in ``arg_joiner``."""

    template = "EXISTS (SELECT FROM jsonb_array_elements(%(expressions)s))"
    output_field = BooleanField()


def _elements(definition: Definition) -> Case:
    """Return the expression for a list; NULL for a value that is not a list."""
    kind = Func(raw_of(definition.key), function="jsonb_typeof", output_field=TextField())
    return Case(When(Exact(kind, Value("array")), then=raw_of(definition.key)))


# --- the typed value ----------------------------------------------------------------------------


def _number(definition: Definition, value: str) -> Decimal:
    if definition.type not in NUMERIC_TYPES:
        raise InvalidCondition(
            f"“Greater” and “less” compare numbers; this attribute holds {_type_words(definition)}.", "operator"
        )
    return Decimal(str(_read(lambda: parser(ValueType.NUMBER, _options())(value))))


def _parsed(definition: Definition, value: str) -> Any:
    return _read(lambda: parser(definition.type, _options())(value))


def _parsed_or_unchanged(definition: Definition, value: str) -> Any:
    """Return the value in its stored form; if it cannot be read, the typed text."""
    try:
        return _parsed(definition, value)
    except InvalidCondition:
        return value


def _read(reader: Callable[[], Any]) -> Any:
    try:
        return reader()
    except InvalidValue as invalid:
        raise InvalidCondition(f"{invalid.reason}.", "value") from invalid


def _options() -> ValueOptions:
    country = settings.IMPORTS_DEFAULT_COUNTRY or None
    return ValueOptions(
        default_country=country,
        time_zone=timezone.get_current_timezone_name(),
        max_bytes=MAX_VALUE_LENGTH,
        default_time="00:00:00",
    )


def _scalar(value: str) -> Any:
    """Return the number or boolean whose JSON is exactly the text, else the text."""
    try:
        scalar = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    is_exact = isinstance(scalar, int | float) and orjson.dumps(scalar).decode() == value
    return scalar if is_exact else value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type_words(definition: Definition) -> str:
    return definition.type.replace("_", " ")
