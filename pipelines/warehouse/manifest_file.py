"""The SQLite file of the manifest: its tables, how it is opened, how changes are written to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import TidemarkError
from pipelines.warehouse.records import Change

FORMAT = "3"

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, tbl TEXT NOT NULL, bucket TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE slices (
    tbl TEXT NOT NULL, period TEXT NOT NULL, part TEXT NOT NULL, digest BLOB NOT NULL,
    checksum BLOB NOT NULL, rows INTEGER NOT NULL, file INTEGER REFERENCES files (id),
    PRIMARY KEY (tbl, period, part)) WITHOUT ROWID;
CREATE TABLE states (
    tbl TEXT PRIMARY KEY, slices INTEGER NOT NULL, rows INTEGER NOT NULL, content BLOB NOT NULL,
    made_from BLOB NOT NULL);
CREATE TABLE settled (
    tbl TEXT PRIMARY KEY, terms BLOB NOT NULL, definition BLOB NOT NULL, through TEXT,
    own BLOB NOT NULL, inputs TEXT NOT NULL);
CREATE TABLE settled_landings (
    source TEXT PRIMARY KEY, rules BLOB NOT NULL, seen BLOB NOT NULL);
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


def open_file(path: Path, writable: bool) -> sqlite3.Connection:
    """Open the file, and make it where it is to be written and is not there.

    Raises TidemarkError where it is not there, is damaged, or was written in another format.
    """
    # A run killed in its first moments leaves a file without content.
    if not writable and not (path.exists() and path.stat().st_size):
        raise TidemarkError(f"nothing was run yet in {path.parent.parent}: `tidemark run` first")
    # Readers too may have to roll back what a killed run left half written.
    mode = "rwc" if writable else "rw"
    with usable(path):
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
def usable(path: Path) -> Iterator[None]:
    """TidemarkError where the file turns out to be damaged, or to be no manifest."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise TidemarkError(
            f"the manifest {path} cannot be used ({error}): restore it from a backup, or move the "
            f"folder {path.parent} away and run again to rebuild everything from landing"
        ) from error


def write_slices(cursor: sqlite3.Cursor, change: Change) -> None:
    """Write what changes of slices and files."""
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


def write_landings(cursor: sqlite3.Cursor, change: Change) -> None:
    """Write what changes of landing dates and landed files."""
    touched = change.landings()
    cursor.executemany(
        "DELETE FROM settled_landings WHERE source = ?", {(source,) for source, _ in touched}
    )
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
