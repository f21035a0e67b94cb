"""The manifest: one SQLite file that says which slices and files are current.

Whatever a run makes becomes current in one transaction here; a file that no row names is rubbish.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.warehouse.manifest_file import open_file, usable, write_landings, write_slices
from pipelines.warehouse.records import (
    Change,
    LandingFile,
    News,
    Published,
    Slice,
    SliceKey,
    StoredFile,
)
from pipelines.warehouse.states import Settled, SettledLanding, Slices, TableState, changed_state


class Manifest:
    """The manifest in memory, kept equal to its SQLite file.

    Readers may open it while a run writes; they see the state of the last commit. Who writes is
    alone, and loads slices and landed files when they are first asked for.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._connection = open_file(path, writable)
        self._days = _Days()
        self.files: dict[int, StoredFile] = {}
        self.buckets: dict[tuple[str, str], int] = {}
        self.landing_dates: dict[tuple[str, date], bytes] = {}
        self.news: set[News] = set()
        self.published: dict[str, Published] = {}
        self.states: dict[str, TableState] = {}
        self.settled: dict[str, Settled] = {}
        self.settled_landings: dict[str, SettledLanding] = {}
        self._changes: dict[str, list[tuple[bytes, set[SliceKey]]]] = defaultdict(list)
        self._unsaved: dict[tuple[str, str], tuple[object, ...]] = {}
        with usable(path):
            self._load(everything=not writable)
        self._seen = self._state()

    def is_current(self) -> bool:
        """Whether what is in memory is still what the file holds, whoever wrote to it meanwhile."""
        return self._seen == self._state()

    def _state(self) -> tuple[int, int, int] | None:
        try:
            place = self.path.stat()
        except OSError:
            return None
        # SQLite's count of what other connections changed.
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return place.st_dev, place.st_ino, version

    def close(self) -> None:
        """Let go of the SQLite file."""
        self._connection.close()

    def save(self) -> None:
        """Write what was settled since the last transaction."""
        if self._unsaved:
            with self._transaction():
                pass

    def take_file_id(self) -> int:
        """The next id for a new file."""
        self._next_id += 1
        return self._next_id - 1

    def commit(self, change: Change) -> None:
        """Make a change current, whole or not at all."""
        records = change.records()
        states, changed = {}, {}
        for table, of_table in records.items():
            before = self.slices.get(table, {})
            states[table], changed[table] = changed_state(self.state(table), before, of_table)
        for source, _ in change.landings():
            self._unsaved.pop(("settled_landings", source), None)
        with self._transaction() as cursor:
            write_slices(cursor, change)
            write_landings(cursor, change)
            cursor.executemany(
                "INSERT OR IGNORE INTO news VALUES (?, ?, ?)",
                [(each.subject, each.day.isoformat(), each.cause) for each in change.news],
            )
            cursor.executemany("DELETE FROM states WHERE tbl = ?", [(table,) for table in states])
            cursor.executemany(
                "INSERT INTO states VALUES (?, ?, ?, ?, ?)",
                [(table, *state) for table, state in states.items() if state.slices],
            )
        for table, keys in changed.items():
            if keys:
                self._changes[table].append((self.state(table).content, keys))
        self.states.update(states)
        self._apply(change, records)

    def state(self, table: str) -> TableState:
        """What a table holds, in a few bytes."""
        return self.states.get(table, TableState())

    def changes_since(self, table: str, content: bytes) -> set[SliceKey] | None:
        """Slices whose content may be another than when it was ``content``; None: not known."""
        if self.state(table).content == content:
            return set()
        log = self._changes[table]
        known = [place for place, (before, _) in enumerate(log) if before == content]
        if not known:
            return None
        return set().union(*(keys for _, keys in log[known[-1] :]))

    def settle(self, table: str, settled: Settled) -> None:
        """Record, with the next transaction, on what terms a table is up to date."""
        if self.settled.get(table) != settled:
            self.settled[table] = settled
            through = settled.through and settled.through.isoformat()
            inputs = json.dumps({name: each.hex() for name, each in settled.inputs.items()})
            row = (table, settled.terms, settled.definition, through, settled.own, inputs)
            self._unsaved["settled", table] = row

    def settle_landing(self, source: str, settled: SettledLanding) -> None:
        """Record, with the next transaction, that all of a source was taken in."""
        if self.settled_landings.get(source) != settled:
            self.settled_landings[source] = settled
            self._unsaved["settled_landings", source] = (source, *settled)

    def commit_published(self, published: dict[str, Published]) -> None:
        """Record what was published; with it, nothing is news any more."""
        with self._transaction() as cursor:
            cursor.execute("DELETE FROM published")
            cursor.executemany(
                "INSERT INTO published VALUES (?, ?, ?, ?, ?, ?)",
                [(table, *p[:-1], p.data_through.isoformat()) for table, p in published.items()],
            )
            cursor.execute("DELETE FROM news")
        self.published = dict(published)
        self.news = set()

    def about(self, key: str) -> str | None:
        """A note about the warehouse as a whole."""
        row = self._connection.execute("SELECT value FROM about WHERE key = ?", [key]).fetchone()
        return str(row[0]) if row else None

    def note(self, key: str, value: str) -> None:
        """Keep a note about the warehouse as a whole."""
        with self._transaction() as cursor:
            cursor.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", [key, value])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            for (table, _), row in self._unsaved.items():
                marks = ", ".join("?" * len(row))
                cursor.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)
            cursor.execute("COMMIT")
            self._unsaved.clear()
        except BaseException as error:
            if self._connection.in_transaction:
                cursor.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise TidemarkError(
                    f"{self.path} cannot be written ({error}): make room or permissions, then run "
                    "again"
                ) from error
            raise

    def _load(self, *, everything: bool) -> None:
        days = self._days
        cursor = self._connection.cursor()
        cursor.execute("BEGIN")
        for key, *values in cursor.execute("SELECT * FROM files"):
            self._add_file(key, StoredFile(*values))
        for source, day, digest in cursor.execute("SELECT * FROM landing_dates"):
            self.landing_dates[source, days[day]] = digest
        for subject, day, cause in cursor.execute("SELECT * FROM news"):
            self.news.add(News(subject, days[day], cause))
        for table, *seen, rows, through in cursor.execute("SELECT * FROM published"):
            digest, definition, sha256 = seen
            self.published[table] = Published(digest, definition, sha256, rows, days[through])
        for table, *state in cursor.execute("SELECT * FROM states"):
            self.states[table] = TableState(*state)
        self._load_settled(cursor)
        self.slices = Slices(self.states, self._slices_of)
        if everything:
            dict(self.slices)
            _ = self.landing_files
        cursor.execute("COMMIT")
        self._next_id = max(self.files, default=0) + 1

    def _load_settled(self, cursor: sqlite3.Cursor) -> None:
        for source, *settled in cursor.execute("SELECT * FROM settled_landings"):
            self.settled_landings[source] = SettledLanding(*settled)
        for table, terms, definition, through, own, inputs in cursor.execute(
            "SELECT * FROM settled"
        ):
            self.settled[table] = Settled(
                terms,
                definition,
                through and self._days[through],
                own,
                {name: bytes.fromhex(each) for name, each in json.loads(inputs).items()},
            )

    def _slices_of(self, table: str) -> dict[SliceKey, Slice]:
        days = self._days
        found = "SELECT period, part, digest, checksum, rows, file FROM slices WHERE tbl = ?"
        with usable(self.path):
            return {
                SliceKey(days[period], part): Slice._make(values)
                for period, part, *values in self._connection.execute(found, [table])
            }

    @cached_property
    def landing_files(self) -> dict[tuple[str, date], dict[str, LandingFile]]:
        """The landed files as they were when they were taken in, by source and landing date."""
        files: dict[tuple[str, date], dict[str, LandingFile]] = {}
        with usable(self.path):
            for source, day, name, *values in self._connection.execute(
                "SELECT * FROM landing_files"
            ):
                of_date = files.setdefault((source, self._days[day]), {})
                of_date[name] = LandingFile._make(values)
        return files

    def _add_file(self, key: int, stored: StoredFile) -> None:
        self.files[key] = stored
        self.buckets[stored.table, stored.bucket] = key

    def _apply(
        self, change: Change, records: Mapping[str, Mapping[SliceKey, Slice | None]]
    ) -> None:
        for key in change.dropped_files:
            gone = self.files.pop(key)
            del self.buckets[gone.table, gone.bucket]
        for key, stored in change.files.items():
            self._add_file(key, stored)
        for table, of_table in records.items():
            self.slices.change(table, of_table)
        self.news |= change.news
        if change.landings():
            self._apply_landings(change)

    def _apply_landings(self, change: Change) -> None:
        for source, _ in change.landings():
            self.settled_landings.pop(source, None)
        for landing in change.dropped_landing_dates:
            self.landing_dates.pop(landing, None)
            self.landing_files.pop(landing, None)
        self.landing_dates.update(change.landing_dates)
        self.landing_files.update(change.landing_files)


class _Days(dict[str, date]):
    """ISO dates to dates, each parsed once."""

    def __missing__(self, text: str) -> date:
        self[text] = day = date.fromisoformat(text)
        return day
