"""The unlogged tables of one job: its staged rows, and the results of its preview.

Each job has tables of its own, since a partitioned table cannot be unlogged, and adding or dropping a partition waits
for every reader of the parent. A crash of the database empties them; their content can be made again from the file.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from django.db import connection

from profiles.writing import write_set


@dataclass(frozen=True, slots=True)
class JobTables:
    """The names and columns of a job's tables."""

    job_id: int

    @property
    def staged(self) -> str:
        """The table of checked rows."""
        return f"imports_staged_{self.job_id}"

    @property
    def results(self) -> str:
        """The table of outcomes of staged rows, as far as ``inserted`` and ``updated`` do not show them."""
        return f"imports_result_{self.job_id}"

    @property
    def simulation(self) -> str:
        """The table of people after the serial lane of the preview (see ``simulation``)."""
        return f"imports_simulation_{self.job_id}"

    @property
    def inserted(self) -> str:
        return f"imports_inserted_{self.job_id}"

    @property
    def updated(self) -> str:
        return f"imports_updated_{self.job_id}"

    @property
    def facts(self) -> str:
        """The table of facts to record about addresses."""
        return f"imports_fact_{self.job_id}"

    @property
    def written(self) -> write_set.WriteSetTables:
        """The tables of the write set: what is to be written to profiles."""
        return write_set.WriteSetTables(self.inserted, self.updated, self.facts, self.staged)

    def create_staged(self, *, events: bool = False) -> None:
        """Create an empty table of rows, and drop the results of earlier ones. ``events``: the rows are events."""
        self.drop()
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE UNLOGGED TABLE {self.staged} ({_STAGED}{_EVENTS if events else ''})")
            cursor.execute(f"COMMENT ON TABLE {self.staged} IS '{_SHAPE}'")

    def are_current(self) -> bool:
        """Return whether the tables exist, with the columns that this release of the project creates."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", [self.staged])
            return bool(cursor.fetchone()[0] == _SHAPE)

    def index_places(self) -> None:
        """Index the rows by place, and collect statistics for the query planner."""
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE INDEX ON {self.staged} (place)")
            cursor.execute(f"ANALYZE {self.staged} (place, row_no, kind, key)")

    def index_rows(self) -> None:
        """Index the rows by number."""
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE INDEX ON {self.staged} (row_no)")

    def create_results(self) -> None:
        """Create empty tables for the results of the preview."""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {', '.join(self._results)}")
            cursor.execute(f"CREATE UNLOGGED TABLE {self.results} ({_RESULTS})")
            cursor.execute(f"CREATE UNLOGGED TABLE {self.inserted} ({write_set.INSERTED})")
            cursor.execute(f"CREATE UNLOGGED TABLE {self.updated} ({write_set.UPDATED})")
            cursor.execute(f"CREATE UNLOGGED TABLE {self.facts} ({write_set.FACTS})")
            cursor.execute(f"CREATE UNLOGGED TABLE {self.simulation} ({_SIMULATION})")
            cursor.execute(f"CREATE INDEX ON {self.results} (bucket, row_no)")
            cursor.execute(f"CREATE INDEX ON {self.inserted} (bucket, first_row)")
            cursor.execute(f"CREATE INDEX ON {self.updated} (bucket, first_row)")
            cursor.execute(f"CREATE INDEX ON {self.facts} (bucket)")
            cursor.execute(f"CREATE INDEX ON {self.simulation} (kind, value)")
            cursor.execute(f"CREATE INDEX ON {self.simulation} (ref)")

    def has(self, bucket: int) -> bool:
        """Return whether there are results of a bucket; a crash of the database may have deleted them."""
        kept = " UNION ALL ".join(
            f"SELECT 1 FROM {table} WHERE bucket = %s" for table in (self.results, self.inserted, self.updated)
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS ({kept})", [bucket] * 3)
            return bool(cursor.fetchone()[0])

    def delete_results(self, bucket: int) -> None:
        """Delete the results of a bucket before they are computed again."""
        with connection.cursor() as cursor:
            for table in (self.results, self.inserted, self.updated, self.facts):
                cursor.execute(f"DELETE FROM {table} WHERE bucket = %s", [bucket])

    def drop(self) -> None:
        """Drop the tables that exist."""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {self.staged}, {', '.join(self._results)}")

    @property
    def _results(self) -> tuple[str, ...]:
        return self.results, self.inserted, self.updated, self.facts, self.simulation


_STAGED = (
    "row_no int NOT NULL, line int NOT NULL, place int NOT NULL, kind text NOT NULL,"
    ' key text COLLATE "C" NOT NULL, ties int[], links text NOT NULL, raw text NOT NULL'
)
_EVENTS = ", name text NOT NULL, time timestamptz NOT NULL, properties jsonb NOT NULL"
_RESULTS = (
    "bucket int NOT NULL, row_no int NOT NULL, outcome text NOT NULL, person bigint, changes text,"
    " code text, reason text, about text"
)
_SIMULATION = (
    'ref bigint NOT NULL, kind text, value text COLLATE "C", object_id text, external_id text,'
    " alias text, attributes text NOT NULL, recency bigint NOT NULL, version bigint"
)

# A job may wait between two releases of the project, its tables made by the older one.
_MADE = (_STAGED, _EVENTS, _RESULTS, _SIMULATION, write_set.INSERTED, write_set.UPDATED, write_set.FACTS)
_SHAPE = f"{zlib.crc32(repr(_MADE).encode()):08x}"
