"""What a run touches, counted and not timed: slices, rows, files, transforms, rows of the manifest.

Everything that the warehouse reads goes through ``Store.scan``, everything that it writes through
``Store.put`` and ``Staging``; they are watched here, and nothing in them is changed.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
from homes import rebuilt, run_home

from pipelines import run as running
from pipelines.session import Session
from pipelines.warehouse.bring_up import Builder
from pipelines.warehouse.digests import Digester
from pipelines.warehouse.disk import Staging
from pipelines.warehouse.land import Lander
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.records import Slice, SliceKey
from pipelines.warehouse.specs import Spec
from pipelines.warehouse.store import Store

LANDING, CHECKS, PUBLICATION = "landing", "checks", "publication"


@dataclass
class Counts:
    """By table that was at work, or by table and input of which it was read."""

    rebuilt: Counter[str] = field(default_factory=Counter)
    transforms: Counter[str] = field(default_factory=Counter)
    rows_read: Counter[tuple[str, str]] = field(default_factory=Counter)
    files_read: Counter[tuple[str, str]] = field(default_factory=Counter)
    bytes_read: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows_filed: Counter[str] = field(default_factory=Counter)
    files_written: Counter[str] = field(default_factory=Counter)
    bytes_written: Counter[str] = field(default_factory=Counter)
    digested: Counter[str] = field(default_factory=Counter)
    slices_loaded: Counter[str] = field(default_factory=Counter)
    raw_files_read: int = 0
    published: set[str] = field(default_factory=set)
    manifest_rows: int = 0


def counted_run(home: Path, **options: Any) -> Counts:
    """The counts of one run."""
    counts = Counts()
    with _watched(counts):
        report = run_home(home, **options)
    assert not report.withheld, report.withheld
    counts.rebuilt.update(rebuilt(report))
    if report.publication:
        counts.published = set(report.publication.written)
    return counts


@contextmanager
def _watched(counts: Counts) -> Iterator[None]:
    at_work = [LANDING]
    with (
        _phases_watched(at_work),
        _reading_watched(counts, at_work),
        _writing_watched(counts),
        _bookkeeping_watched(counts),
    ):
        yield


@contextmanager
def _phases_watched(at_work: list[str]) -> Iterator[None]:
    """The last of ``at_work`` is the table, or phase of a run, that is at work."""

    def during(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def named(self: Any, *given: Any, **options: Any) -> Any:
            at_work.append(name or given[0].name)
            try:
                return function(self, *given, **options)
            finally:
                at_work.pop()

        return named

    with ExitStack() as patched:
        for owner, name, phase in (
            (Builder, "bring_up", ""),
            (Session, "publish", PUBLICATION),
            (running, "newly_broken_checks", CHECKS),
            (running, "over_limit", CHECKS),
        ):
            watching = during(phase, getattr(owner, name))
            patched.enter_context(patch.object(owner, name, watching))
        yield


@contextmanager
def _reading_watched(counts: Counts, at_work: list[str]) -> Iterator[None]:
    def scan(self: Store, filing: Any, keys: Any) -> pl.LazyFrame:
        wanted = list(keys)
        slices = self.manifest.slices.get(filing.table, {})
        records = [slices[key] for key in wanted if key in slices and slices[key].rows]
        files = {record.file for record in records if record.file is not None}
        pair = (at_work[-1], filing.table)
        counts.rows_read[pair] += sum(record.rows for record in records)
        counts.files_read[pair] += len(files)
        counts.bytes_read[pair] += sum(self.manifest.files[file].bytes for file in files)
        return scan_as_it_is(self, filing, wanted)

    def read(self: Lander, source: Any, files: Any, **options: Any) -> Any:
        counts.raw_files_read += len(files)
        return read_as_it_is(self, source, files, **options)

    scan_as_it_is, read_as_it_is = Store.scan, Lander.read
    with patch.object(Store, "scan", scan), patch.object(Lander, "read", read):
        yield


@contextmanager
def _writing_watched(counts: Counts) -> Iterator[None]:
    def computed(self: Builder, spec: Spec, keys: Any) -> pl.DataFrame:
        counts.transforms[spec.name] += 1
        return computed_as_it_is(self, spec, keys)

    def put(self: Store, filing: Any, rows: Any, rebuilt: Any, removed: Any = ()) -> Any:
        counts.rows_filed[filing.table] += rows.height
        return put_as_it_is(self, filing, rows, rebuilt, removed)

    def write(self: Staging, path: str, content: bytes) -> None:
        counts.files_written[path.split("/")[0]] += 1
        counts.bytes_written[path.split("/")[0]] += len(content)
        write_as_it_is(self, path, content)

    computed_as_it_is, put_as_it_is = Builder._computed, Store.put
    write_as_it_is = Staging.write
    with (
        patch.object(Builder, "_computed", computed),
        patch.object(Store, "put", put),
        patch.object(Staging, "write", write),
    ):
        yield


@contextmanager
def _bookkeeping_watched(counts: Counts) -> Iterator[None]:
    def digest(self: Digester, key: SliceKey) -> bytes:
        counts.digested[self._spec.name] += 1
        return digest_as_it_is(self, key)

    def load(self: Manifest, table: str) -> dict[SliceKey, Slice]:
        slices = load_as_it_is(self, table)
        counts.slices_loaded[table] += len(slices)
        return slices

    def close(self: Manifest) -> None:
        counts.manifest_rows += self._connection.total_changes
        close_as_it_is(self)

    digest_as_it_is, load_as_it_is = Digester.beside_own_past, Manifest._slices_of
    close_as_it_is = Manifest.close
    with (
        patch.object(Manifest, "close", close),
        patch.object(Digester, "beside_own_past", digest),
        patch.object(Manifest, "_slices_of", load),
    ):
        yield
