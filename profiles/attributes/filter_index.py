"""What makes a condition on an attribute fast: an index on its values, one for each attribute marked filterable.

`values_of`, `number_of` and `elements_of` are what is indexed; `segments` writes its conditions with the same three, or
PostgreSQL would not find the index. Each such index makes writing people dearer: with any of them an update of a person
moves to another place in the table. So an attribute has one only when somebody asks for it.

Channel identifiers need none: their values are in ``Identifier``.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    DecimalField,
    Expression,
    F,
    Func,
    JSONField,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact
from django.db.utils import ProgrammingError
from psycopg import sql
from psycopg.errors import DuplicateTable

from profiles.models import Attribute, Profile
from profiles.values.types import ValueType

INDEXED_CHARACTERS = 100
"""An index takes no value of more than a third of a page, and refusing a person's long value is not its business."""

NUMERIC_TYPES = frozenset({ValueType.INTEGER, ValueType.NUMBER})


def raw_of(key: str) -> Func:
    """The value under a key as JSON."""
    return Func(F("attributes"), Value(key), template="(%(expressions)s)", arg_joiner=" -> ", output_field=JSONField())


def text_of(key: str) -> Func:
    """The value under a key as text; a list in the form of JSON."""
    return Func(F("attributes"), Value(key), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField())


def values_of(key: str) -> Func:
    """The beginning of a single value as text, in the order of its bytes."""
    template = f'(left(%(expressions)s, {INDEXED_CHARACTERS}) COLLATE "C")'
    return Func(text_of(key), template=template, output_field=TextField())


def number_of(key: str) -> Case:
    """A single number; nothing for other values."""
    kind = Func(raw_of(key), function="jsonb_typeof", output_field=TextField())
    number = Func(text_of(key), template="(%(expressions)s)::numeric", output_field=DecimalField())
    return Case(When(Exact(kind, Value("number")), then=number))


def update_index(attribute_id: int) -> bool:
    """Make the index of an attribute that is marked filterable, or drop that of one which is not, or is gone.

    Safe to call at any time, again, and by several at once: what is there and right is left alone. Readers and writers
    go on meanwhile, so it works outside of transactions only, and takes seconds at a million people: for the queue.
    Returns whether the attribute has an index now. Raises ``ImproperlyConfigured`` inside a transaction.
    """
    if connection.in_atomic_block:
        raise ImproperlyConfigured("An index cannot be made while people use the table inside of a transaction.")
    while True:
        wanted, name = _wanted(attribute_id), f"filter_{attribute_id}"
        if wanted is not None and _standing(name) == wanted:
            return True
        if _is_being_made(name):
            return False  # whoever makes it looks again afterwards
        _execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name)))
        if wanted is None or not _make(name, wanted):
            return False


def _wanted(attribute_id: int) -> str | None:
    """The definition of the index that an attribute is to have now; None for none."""
    attribute = Attribute.objects.filter(pk=attribute_id).first()
    if attribute is None or not attribute.filterable or attribute.definition.finds_people:
        return None
    return _definition(attribute)


def has_index() -> RawSQL:
    """For queries of attributes: whether each has an index."""
    return RawSQL("to_regclass('filter_' || profiles_attribute.id) IS NOT NULL", (), BooleanField())


def _definition(attribute: Attribute) -> str:
    """What is indexed, with the key in it as a constant: the id behind the value gives people in the list's order."""
    if attribute.multi_valued:
        return f"gin ({_compiled(raw_of(attribute.key))} jsonb_path_ops)"
    values = number_of(attribute.key) if attribute.type in NUMERIC_TYPES else values_of(attribute.key)
    return f"btree (({_compiled(values)}), id)"


def _compiled(expression: Expression | Func) -> str:
    """An expression as the index holds it."""
    people: QuerySet[Profile] = Profile.objects.all()
    text, parameters = people.query.get_compiler("default").compile(expression.resolve_expression(people.query))
    return str(text) % tuple(sql.Literal(value).as_string(connection.connection) for value in parameters)


def _standing(name: str) -> str | None:
    """The definition of an index that serves, from its comment."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [name])
        found = cursor.fetchone()
    return found[0] if found else None


def _is_being_made(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_BEING_MADE, [name])
        return bool(cursor.fetchone())


def _make(name: str, wanted: str) -> bool:
    index, comment = sql.Identifier(name), sql.Literal(wanted)
    try:
        _execute(sql.SQL("CREATE INDEX CONCURRENTLY {} ON profiles_profile USING ").format(index), wanted)
    except ProgrammingError as error:
        if isinstance(error.__cause__, DuplicateTable):
            return False  # somebody else makes it at this moment
        raise
    _execute(sql.SQL("COMMENT ON INDEX {} IS {}").format(index, comment))
    _execute(sql.SQL("ANALYZE profiles_profile"))  # or nothing is known of how often each value occurs
    return True


def _execute(statement: sql.Composable, rest: str = "") -> None:
    """Run a statement as it is: a percent sign in a key is no place for a parameter."""
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(connection.connection) + rest, None)


_STANDING = """
SELECT obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid = to_regclass(quote_ident(%s)) AND i.indisvalid
"""

_BEING_MADE = "SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = to_regclass(quote_ident(%s))"
