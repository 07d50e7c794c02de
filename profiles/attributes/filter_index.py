"""Keep an index on the values of each attribute marked filterable, which makes conditions on it fast.

The indexed expressions are `indexed_text`, `number_of` and `raw_of`; `comparisons` writes conditions with the same
three, or PostgreSQL would not use the index. Each such index makes writing people slower: with any of them, an update
writes the person to another place in the table. So an attribute has one only if it is marked.

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
"""The indexed beginning of a value. An index cannot hold a value of more than a third of a page, and an index must not
make the database refuse a person's long value."""

NUMERIC_TYPES = frozenset({ValueType.INTEGER, ValueType.NUMBER})


def raw_of(key: str) -> Func:
    """Return the expression for the value of a key as JSON."""
    return Func(F("attributes"), Value(key), template="(%(expressions)s)", arg_joiner=" -> ", output_field=JSONField())


def text_of(key: str) -> Func:
    """Return the expression for the value of a key as text; a list is JSON text."""
    return Func(F("attributes"), Value(key), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField())


def indexed_text(key: str) -> Func:
    """Return the expression for the beginning of a single value as text, ordered by its bytes."""
    template = f'(left(%(expressions)s, {INDEXED_CHARACTERS}) COLLATE "C")'
    return Func(text_of(key), template=template, output_field=TextField())


def number_of(key: str) -> Case:
    """Return the expression for a single number; NULL for other values."""
    kind = Func(raw_of(key), function="jsonb_typeof", output_field=TextField())
    number = Func(text_of(key), template="(%(expressions)s)::numeric", output_field=DecimalField())
    return Case(When(Exact(kind, Value("number")), then=number))


def update_index(attribute_id: int) -> bool:
    """Create the index of an attribute that is marked filterable, or drop that of one that is not, or was deleted.

    May be called at any time, repeatedly and concurrently: an index that is right is kept. It does not block readers
    and writers, so it works outside of transactions only, and it takes seconds for a million people, so it belongs in
    the queue. Returns whether the attribute has an index now. Raises ``ImproperlyConfigured`` inside a transaction.
    """
    if connection.in_atomic_block:
        raise ImproperlyConfigured("An index cannot be created concurrently inside of a transaction.")
    while True:
        target, name = _target_definition(attribute_id), f"filter_{attribute_id}"
        if target is not None and _current_definition(name) == target:
            return True
        if _is_being_created(name):
            return False  # the process that creates it checks again afterwards
        _execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name)))
        if target is None or not _create(name, target):
            return False


def _target_definition(attribute_id: int) -> str | None:
    """Return the definition of the index that an attribute should have now; None for none."""
    attribute = Attribute.objects.filter(pk=attribute_id).first()
    if attribute is None or not attribute.filterable or attribute.definition.is_lookup_ready:
        return None
    return _definition(attribute)


def has_index() -> RawSQL:
    """Return the expression, for queries of attributes, for whether each has an index."""
    return RawSQL("to_regclass('filter_' || profiles_attribute.id) IS NOT NULL", (), BooleanField())


def _definition(attribute: Attribute) -> str:
    """Return the method and the expressions of an index, with the key as a constant. The ID after the value gives
    people in the order of the list."""
    if attribute.multi_valued:
        return f"gin ({_compiled(raw_of(attribute.key))} jsonb_path_ops)"
    values = number_of(attribute.key) if attribute.type in NUMERIC_TYPES else indexed_text(attribute.key)
    return f"btree (({_compiled(values)}), id)"


def _compiled(expression: Expression | Func) -> str:
    """Return an expression as SQL text, with its parameters as literals."""
    people: QuerySet[Profile] = Profile.objects.all()
    text, parameters = people.query.get_compiler("default").compile(expression.resolve_expression(people.query))
    return str(text) % tuple(sql.Literal(value).as_string(connection.connection) for value in parameters)


def _current_definition(name: str) -> str | None:
    """Return the definition of a valid index from its comment; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_VALID_INDEX_COMMENT, [name])
        row = cursor.fetchone()
    return row[0] if row else None


def _is_being_created(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_BEING_CREATED, [name])
        return bool(cursor.fetchone())


def _create(name: str, definition: str) -> bool:
    index, comment = sql.Identifier(name), sql.Literal(definition)
    try:
        _execute(sql.SQL("CREATE INDEX CONCURRENTLY {} ON profiles_profile USING ").format(index), definition)
    except ProgrammingError as error:
        if isinstance(error.__cause__, DuplicateTable):
            return False  # another process is creating it
        raise
    _execute(sql.SQL("COMMENT ON INDEX {} IS {}").format(index, comment))
    _execute(sql.SQL("ANALYZE profiles_profile"))  # else the planner has no statistics of the expression
    return True


def _execute(statement: sql.Composable, rest: str = "") -> None:
    """Run a statement without parameters, so that a percent sign in a key has no meaning."""
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(connection.connection) + rest, None)


_VALID_INDEX_COMMENT = """
SELECT obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid = to_regclass(quote_ident(%s)) AND i.indisvalid
"""

_BEING_CREATED = "SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = to_regclass(quote_ident(%s))"
