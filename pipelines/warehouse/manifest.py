"""The manifest: one SQLite file that says which slices and files are current.

Whatever a run makes becomes current in one transaction here; a file that no row names is rubbish.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import TidemarkError

FORMAT = "1"

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, tbl TEXT NOT NULL, bucket TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE slices (
    tbl TEXT NOT NULL, period TEXT NOT NULL, part TEXT NOT NULL, digest BLOB NOT NULL,
    checksum BLOB NOT NULL, rows INTEGER NOT NULL, file INTEGER REFERENCES files (id),
    PRIMARY KEY (tbl, period, part)) WITHOUT ROWID;
CREATE TABLE landing_dates (
    source TEXT NOT NULL, landing_date TEXT NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (source, landing_date)) WITHOUT ROWID;
CREATE TABLE news (
    subject TEXT NOT NULL, day TEXT NOT NULL, cause TEXT NOT NULL,
    PRIMARY KEY (subject, day, cause)) WITHOUT ROWID;
CREATE TABLE landing_files (
    source TEXT NOT NULL, landing_date TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (source, landing_date, name)) WITHOUT ROWID;
CREATE TABLE published (
    tbl TEXT PRIMARY KEY, digest BLOB NOT NULL, definition BLOB NOT NULL, sha256 TEXT NOT NULL,
    rows INTEGER NOT NULL, data_through TEXT NOT NULL);
"""


class SliceKey(NamedTuple):
    """A slice of a table: its period, and the part of the period where a table has parts."""

    period: date
    part: str = ""


class Slice(NamedTuple):
    """What is recorded of a slice: what it was made from, its content, its place."""

    digest: bytes
    checksum: bytes
    rows: int
    file: int | None


class StoredFile(NamedTuple):
    """A current file of the warehouse."""

    table: str
    bucket: str
    path: str
    bytes: int
    sha256: str
    rows: int


class LandingFile(NamedTuple):
    """A landed file as it was when it was taken in."""

    bytes: int
    modified_ns: int
    sha256: str


class News(NamedTuple):
    """Why what is published next may differ: of a source's landing date, or of a table's day."""

    subject: str
    day: date
    cause: str


class Published(NamedTuple):
    """A table as it was last published: its content, and the code and settings behind it."""

    digest: bytes
    definition: bytes
    sha256: str
    rows: int
    data_through: date


@dataclass
class Change:
    """Everything that one transaction makes current."""

    files: dict[int, StoredFile] = field(default_factory=dict)
    dropped_files: set[int] = field(default_factory=set)
    slices: dict[tuple[str, SliceKey], Slice] = field(default_factory=dict)
    dropped_slices: set[tuple[str, SliceKey]] = field(default_factory=set)
    landing_dates: dict[tuple[str, date], bytes] = field(default_factory=dict)
    dropped_landing_dates: set[tuple[str, date]] = field(default_factory=set)
    landing_files: dict[tuple[str, date], dict[str, LandingFile]] = field(default_factory=dict)
    news: set[News] = field(default_factory=set)


class Manifest:
    """The manifest in memory, kept equal to its SQLite file.

    Readers may open it while a run writes; they see the state of the last commit.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._connection = _open(path, writable)
        self.files: dict[int, StoredFile] = {}
        self.buckets: dict[tuple[str, str], int] = {}
        self.slices: dict[str, dict[SliceKey, Slice]] = {}
        self.landing_dates: dict[tuple[str, date], bytes] = {}
        self.landing_files: dict[tuple[str, date], dict[str, LandingFile]] = {}
        self.news: set[News] = set()
        self.published: dict[str, Published] = {}
        with _usable(path):
            self._load()
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

    def take_file_id(self) -> int:
        """The next id for a new file."""
        self._next_id += 1
        return self._next_id - 1

    def commit(self, change: Change) -> None:
        """Make a change current, whole or not at all."""
        with self._transaction() as cursor:
            _write_slices(cursor, change)
            _write_landings(cursor, change)
            cursor.executemany(
                "INSERT OR IGNORE INTO news VALUES (?, ?, ?)",
                [(each.subject, each.day.isoformat(), each.cause) for each in change.news],
            )
        self._apply(change)

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
            cursor.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                cursor.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise TidemarkError(
                    f"{self.path} cannot be written ({error}): make room or permissions, then run "
                    "again"
                ) from error
            raise

    def _load(self) -> None:
        days = _Days()
        cursor = self._connection.cursor()
        cursor.execute("BEGIN")
        for key, *values in cursor.execute("SELECT * FROM files"):
            self._add_file(key, StoredFile(*values))
        for table, period, part, *values in cursor.execute("SELECT * FROM slices"):
            self.slices.setdefault(table, {})[SliceKey(days[period], part)] = Slice(*values)
        for source, day, digest in cursor.execute("SELECT * FROM landing_dates"):
            self.landing_dates[source, days[day]] = digest
        for subject, day, cause in cursor.execute("SELECT * FROM news"):
            self.news.add(News(subject, days[day], cause))
        for source, day, name, *values in cursor.execute("SELECT * FROM landing_files"):
            self.landing_files.setdefault((source, days[day]), {})[name] = LandingFile(*values)
        for table, *seen, rows, through in cursor.execute("SELECT * FROM published"):
            digest, definition, sha256 = seen
            self.published[table] = Published(digest, definition, sha256, rows, days[through])
        cursor.execute("COMMIT")
        self._next_id = max(self.files, default=0) + 1

    def _add_file(self, key: int, stored: StoredFile) -> None:
        self.files[key] = stored
        self.buckets[stored.table, stored.bucket] = key

    def _apply(self, change: Change) -> None:
        for key in change.dropped_files:
            gone = self.files.pop(key)
            del self.buckets[gone.table, gone.bucket]
        for key, stored in change.files.items():
            self._add_file(key, stored)
        for table, slice_key in change.dropped_slices:
            self.slices.get(table, {}).pop(slice_key, None)
        for (table, slice_key), record in change.slices.items():
            self.slices.setdefault(table, {})[slice_key] = record
        for landing in change.dropped_landing_dates:
            self.landing_dates.pop(landing, None)
            self.landing_files.pop(landing, None)
        self.landing_dates.update(change.landing_dates)
        self.news |= change.news
        self.landing_files.update(change.landing_files)


class _Days(dict[str, date]):
    """ISO dates to dates, each parsed once."""

    def __missing__(self, text: str) -> date:
        self[text] = day = date.fromisoformat(text)
        return day


def _open(path: Path, writable: bool) -> sqlite3.Connection:
    # A run killed in its first moments leaves a file without content.
    if not writable and not (path.exists() and path.stat().st_size):
        raise TidemarkError(f"nothing was run yet in {path.parent.parent}: `tidemark run` first")
    # Readers too may have to roll back what a killed run left half written.
    mode = "rwc" if writable else "rw"
    with _usable(path):
        connection = sqlite3.connect(
            f"file:{path}?mode={mode}", uri=True, isolation_level=None, timeout=30
        )
        connection.execute(f"PRAGMA query_only = {not writable}")
        if writable and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            connection.executescript(
                f"BEGIN; {_TABLES} INSERT INTO about VALUES ('format', '{FORMAT}'); COMMIT;"
            )
        found = connection.execute("SELECT value FROM about WHERE key = 'format'").fetchone()
    if found != (FORMAT,):
        raise TidemarkError(
            f"{path.parent} was written in format {found[0] if found else 'unknown'}, this "
            f"Tidemark reads {FORMAT}: use the Tidemark that wrote it, or move the folder away and "
            "run again to rebuild it"
        )
    return connection


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    """TidemarkError where the file turns out to be damaged, or to be no manifest."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise TidemarkError(
            f"the manifest {path} cannot be used ({error}): restore it from a backup, or move the "
            f"folder {path.parent} away and run again to rebuild everything from landing"
        ) from error


def _write_slices(cursor: sqlite3.Cursor, change: Change) -> None:
    # A file that goes and one that comes may bear one name: the same content in other company.
    cursor.executemany(
        "DELETE FROM slices WHERE tbl = ? AND period = ? AND part = ?",
        [(t, k.period.isoformat(), k.part) for t, k in change.dropped_slices],
    )
    cursor.executemany("DELETE FROM files WHERE id = ?", [(f,) for f in change.dropped_files])
    cursor.executemany(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(key, *stored) for key, stored in change.files.items()],
    )
    cursor.executemany(
        "INSERT OR REPLACE INTO slices VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(t, k.period.isoformat(), k.part, *s) for (t, k), s in change.slices.items()],
    )


def _write_landings(cursor: sqlite3.Cursor, change: Change) -> None:
    touched: Iterable[tuple[str, date]] = {
        *change.dropped_landing_dates,
        *change.landing_dates,
        *change.landing_files,
    }
    keys = [(source, day.isoformat()) for source, day in touched]
    for table in ("landing_dates", "landing_files"):
        cursor.executemany(f"DELETE FROM {table} WHERE source = ? AND landing_date = ?", keys)
    cursor.executemany(
        "INSERT INTO landing_dates VALUES (?, ?, ?)",
        [(s, d.isoformat(), digest) for (s, d), digest in change.landing_dates.items()],
    )
    cursor.executemany(
        "INSERT INTO landing_files VALUES (?, ?, ?, ?, ?, ?)",
        [
            (source, day.isoformat(), name, *stored)
            for (source, day), files in change.landing_files.items()
            for name, stored in files.items()
        ],
    )
