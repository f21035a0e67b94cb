"""Homes for tests: made from literal rows, run, and looked at byte by byte."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl

from pipelines import registry
from pipelines.cli import main
from pipelines.home import open_home
from pipelines.publish.restatements import LOG
from pipelines.report.write import REPORT
from pipelines.run import Report, chosen_tables, run
from pipelines.session import reading
from pipelines.warehouse.specs import Spec

LONG = bool(os.environ.get("TIDEMARK_LONG_TESTS"))
ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("tidemark")
_MEMORY = Path("/dev/shm")

_ALL_TABLES = registry.TABLES

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a command of the command line said and how it ended."""

    status: int
    out: str
    err: str


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for homes that come and go, in memory where there is such a place: syncs cost."""
    where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tidemark-", dir=where) as folder:
        yield Path(folder)


def event(event_id: str, ts: str, **columns: Any) -> dict[str, Any]:
    """A row as it would stand in NDJSON: a page view of ada's, where nothing else is said."""
    moment = ts if ts.endswith("Z") else f"{ts}Z"
    row = {"event_id": event_id, "event_name": "page_view", "event_ts": moment, "user_id": "ada"}
    return {name: value for name, value in {**row, **columns}.items() if value is not None}


def make_home(root: Path, settings: str = "", files: Mapping[str, Iterable[Row]] = {}) -> Path:
    """A new home; ``files`` are rows by landing date."""
    (root / "landing" / "events").mkdir(parents=True)
    if settings:
        (root / "tidemark.toml").write_text(settings, encoding="utf-8")
    for day, rows in files.items():
        land(root, day, rows)
    return root


class Kept:
    """A home that is made once, and put back in its place as it was for each test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._copy = root.with_name(f"{root.name}-kept")
        shutil.copytree(root, self._copy, symlinks=True)

    def restore(self) -> Path:
        """The home as it was."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._copy, self.root, symlinks=True)
        return self.root


def land(
    home: Path,
    day: str | date,
    rows: Iterable[Row],
    file: str = "events.ndjson",
    source: str = "events",
) -> Path:
    """Rows land as NDJSON."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return land_bytes(home, day, text.encode(), file, source)


def land_bytes(
    home: Path, day: str | date, content: bytes, file: str, source: str = "events"
) -> Path:
    """A file lands as it is."""
    path = home / "landing" / source / str(day) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def run_home(root: Path, **options: Any) -> Report:
    """One run, in this process."""
    return run(open_home(root), **options)


def rebuilt(report: Report) -> dict[str, int]:
    """How many slices a run built anew, of each table of which it did."""
    return {built.table: built.rebuilt for built in report.built if built.rebuilt}


def command(home: Path | str, *arguments: str) -> Outcome:
    """The command line, in this process: quicker, and what lies under it can be patched."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with (
        patch.object(sys, "argv", ["tidemark", "--home", str(home), *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return Outcome(status, out.getvalue(), err.getvalue())


def tidemark(home: Path | str, *arguments: str, **environment: str) -> Outcome:
    """The command line, in a process of its own."""
    done = subprocess.run(
        [str(COMMAND), "--home", str(home), *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@contextmanager
def only_tables(*names: str) -> Iterator[None]:
    """A smaller house: only these tables, and those they are made from; all where none is named.

    A run of all tables takes a second, one of these few a fifth of it.
    """
    with patch.object(registry, "TABLES", _ALL_TABLES):
        chosen = tuple(chosen_tables(names))
    published = tuple(spec for spec in chosen if spec.promise.published)
    with patch.multiple(registry, TABLES=chosen, PUBLISHED=published):
        yield


def tables_of(source: str) -> list[Spec]:
    """Published tables that a home has once files of the source have landed."""
    return [spec for spec in registry.PUBLISHED if source in registry.sources_of(spec)]


def table(root: Path, name: str) -> pl.DataFrame:
    """A published table as a reader sees it."""
    return pl.read_parquet(root / "bi" / f"{name}.parquet")


def warehouse_table(root: Path, name: str) -> pl.DataFrame:
    """A table of the warehouse in its stored order."""
    with reading(open_home(root)) as session:
        return session.scan(name).sort(registry.FILINGS[name].order).collect()


def published(root: Path) -> dict[str, bytes]:
    """Every published byte: tables and what publication.json says of them.

    Not the catalogue: it names the place of the home, and DuckDB's files differ from run to run.
    Nor restatements, which tell of the runs, and the report, which only commands and Dagster write.
    """
    links = sorted(path for path in (root / "bi").iterdir() if path.is_symlink())
    links = [path for path in links if path.name not in (LOG, REPORT)]
    files = [path for path in links if not path.name.startswith(".") and path.suffix != ".duckdb"]
    return {path.name: path.read_bytes() for path in files}


def stored(root: Path) -> dict[str, Any]:
    """Everything that the law speaks of: current files, slices and their places, published bytes.

    Fails where a file is not what the manifest says of it, or anything is still stale.
    """
    with reading(open_home(root)) as session:
        manifest = session.manifest
        for file in manifest.files.values():
            content = (root / "warehouse" / file.path).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file.sha256, file.path
        state: dict[str, Any] = {
            "files": {file.path: (file.bytes, file.rows) for file in manifest.files.values()},
            "landing dates": dict(manifest.landing_dates),
            "published": manifest.published,
        }
        for name, slices in manifest.slices.items():
            state[name] = {
                key: record._replace(file=record.file and manifest.files[record.file].path)
                for key, record in sorted(slices.items())
            }
        stale = {name: count for name, count in session.stale().items() if count}
        assert not stale, f"still stale: {stale}"
    return {**state, **published(root)}


def assert_same_state(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Fails with the first thing that differs, not with all bytes."""
    assert one.keys() == other.keys(), f"only in one: {one.keys() ^ other.keys()}"
    for name, value in one.items():
        if value == other[name]:
            continue
        if isinstance(value, dict):
            differing = [
                (key, value.get(key), other[name].get(key))
                for key in {*value, *other[name]}
                if value.get(key) != other[name].get(key)
            ]
            raise AssertionError(f"{name}: {len(differing)} differ, such as {differing[0]}")
        raise AssertionError(f"{name} differs")
