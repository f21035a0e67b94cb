"""Slices on the disk: reading any set of them, and putting new ones in place of old.

One scan over a list of files serves any range. Files are never changed: new content is a new file
under a new name, and the manifest says which files are current.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import starmap
from pathlib import Path

import polars as pl

from pipelines.landing.collected import Spilled
from pipelines.warehouse import small_files
from pipelines.warehouse.contents import (
    KEYS,
    NOTHING,
    Content,
    RowsOfUnit,
    by_unit,
    contents_of,
    units_in_order,
)
from pipelines.warehouse.disk import Staging, cannot_write, remove, sha256, sha256_of
from pipelines.warehouse.filing import Filing, is_shared
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.parallel import in_parallel
from pipelines.warehouse.parquet import parquet_bytes, write_parquet
from pipelines.warehouse.records import Change, Slice, SliceKey, StoredFile
from pipelines.warehouse.small_files import SmallFiles
from pipelines.warehouse.specs import SourceTables


class Store:
    """The files of a warehouse: :meth:`put` stages changes, :meth:`commit` makes them current."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self.manifest = manifest
        self._staging = Staging(root)
        self._change = Change()
        self._small = SmallFiles()

    @property
    def spilled(self) -> Path:
        """Folder for rows that are too many for memory, until they are filed."""
        return self._staging.spilled

    def scan(self, filing: Filing, keys: Iterable[SliceKey]) -> pl.LazyFrame:
        """The rows of the given slices' periods, in no particular order.

        Files are chosen by slice, rows by period: a file that holds another part of a wanted
        period gives these rows too.
        """
        slices = self.manifest.slices.get(filing.table, {})
        wanted = {key: slices[key] for key in keys if key in slices and slices[key].rows}
        files = {record.file for record in wanted.values() if record.file is not None}
        if not files:
            return pl.LazyFrame(schema=filing.schema)
        stored = sorted((self.manifest.files[file].path, file) for file in files)
        sizes = {self.root / path: self.manifest.files[file].rows for path, file in stored}
        rows = sum(sizes.values())
        is_small = rows <= small_files.SMALL_ROWS
        scan = self._small.together(sizes) if is_small else pl.scan_parquet(list(sizes), glob=False)
        if filing.slice_column is None or rows == sum(each.rows for each in wanted.values()):
            return scan
        return scan.filter(_in_periods(filing, {key.period for key in wanted}))

    def put(
        self,
        filing: Filing,
        rows: pl.DataFrame | Spilled,
        rebuilt: Mapping[SliceKey, bytes],
        removed: Collection[SliceKey] = (),
    ) -> set[SliceKey]:
        """Stage new content: ``rows`` are all of the ``rebuilt`` slices (key to digest).

        Returns the slices whose content changed. Those that did not keep their files, and leave
        what depends on them fresh.
        """
        if isinstance(rows, Spilled):
            contents = contents_of(map(filing.keyed, rows.pieces()))
        else:
            keyed = filing.keyed(rows)
            contents = contents_of([keyed])
        changed = self._record(filing, contents, rebuilt)
        for key in removed:
            self._change.dropped_slices.add((filing.table, key))
            changed.add(key)
        if changed:
            old = self.manifest.slices.get(filing.table, {})
            units = {filing.unit_of(key) for key in changed}
            touched = [
                old[key].file
                for key in (*rebuilt, *removed)
                if key in old and filing.unit_of(key) in units
            ]
            units_of_rows: Iterable[tuple[SliceKey, RowsOfUnit]]
            if isinstance(rows, Spilled):
                units_of_rows = units_in_order(filing, rows, contents)
            else:
                units_of_rows = by_unit(filing, keyed, units)
            self._refile(
                filing, units_of_rows, units, {file for file in touched if file is not None}
            )
        return changed

    def commit(self, add: Callable[[Change], None] | None = None) -> None:
        """Make everything that was put current, together, or nothing of it."""
        if add is not None:
            add(self._change)
        self._staging.place()
        self.manifest.commit(self._change)
        self._change = Change()

    def sweep(self) -> int:
        """Delete what no slice points to: leavings of killed runs, files that were replaced."""
        self._staging.clear()
        current = {self.root / stored.path for stored in self.manifest.files.values()}
        rubbish = [path for path in self.root.glob("*/*.parquet") if path not in current]
        remove(rubbish)
        return len(rubbish)

    def heal(self) -> list[str]:
        """Forget slices whose file is gone or has another size, so that they are built anew."""
        lost = {key for key, stored in self.manifest.files.items() if not self._is_whole(stored)}
        if not lost:
            return []
        dropped = {
            (table, key)
            for table, slices in self.manifest.slices.items()
            for key, record in slices.items()
            if record.file in lost
        }
        self._change.dropped_slices |= dropped
        self._change.dropped_files |= lost
        self._take_in_again(dropped)
        paths = [self.manifest.files[key].path for key in sorted(lost)]
        self.commit()
        return paths

    def _take_in_again(self, dropped: Collection[tuple[str, SliceKey]]) -> None:
        """Make the landing dates of lost rows stale: only their files can bring these back."""
        for source in {name for name, _ in self.manifest.landing_dates}:
            tables = SourceTables(source)
            for table, key in dropped:
                if table in tables.names:
                    landing = source, tables.landing_date(table, key)
                    self._change.landing_dates[landing] = b""
                    self._change.landing_files[landing] = self.manifest.landing_files[landing]

    def _is_whole(self, stored: StoredFile) -> bool:
        try:
            return (self.root / stored.path).stat().st_size == stored.bytes
        except OSError:
            return False

    def _record(
        self,
        filing: Filing,
        contents: Mapping[SliceKey, Content],
        rebuilt: Mapping[SliceKey, bytes],
    ) -> set[SliceKey]:
        old = self.manifest.slices.get(filing.table, {})
        changed = set()
        for key, digest in rebuilt.items():
            checksum, rows = contents.get(key, NOTHING)
            before = old.get(key)
            is_same = before is not None and (before.checksum, before.rows) == (checksum, rows)
            file = before.file if before is not None and is_same else None
            self._change.slices[filing.table, key] = Slice(digest, checksum, rows, file)
            if not is_same:
                changed.add(key)
        return changed

    def _refile(
        self,
        filing: Filing,
        units_of_rows: Iterable[tuple[SliceKey, RowsOfUnit]],
        units: set[SliceKey],
        old_files: set[int],
    ) -> None:
        """Write the files of the given units, and of the small ones they share a file with."""
        shared: dict[str, list[pl.DataFrame]] = {}
        for file in old_files:
            bucket = self.manifest.files[file].bucket
            if is_shared(bucket):
                shared[bucket] = []
        own: list[tuple[str, pl.DataFrame]] = []
        for unit, rows in units_of_rows:
            if unit not in units:
                continue
            if not isinstance(rows, pl.DataFrame):
                self._write_in_order(filing, filing.own_bucket(unit), rows)
            elif filing.is_small(rows.height):
                shared.setdefault(filing.shared_bucket(unit), []).append(rows)
            else:
                own.append((filing.own_bucket(unit), rows))
        for bucket, frames in shared.items():
            replaced = self.manifest.buckets.get((filing.table, bucket))
            if replaced is not None:
                frames.append(self._survivors(filing, replaced, units))
                old_files.add(replaced)
            together = pl.concat(frames)
            if together.height:
                own.append((bucket, together.sort(filing.order)))
        self._write(filing, own)
        self._change.dropped_files |= old_files

    def _survivors(self, filing: Filing, file: int, units: set[SliceKey]) -> pl.DataFrame:
        """Rows of a shared file that stay as they are."""
        frame = pl.read_parquet(self.root / self.manifest.files[file].path, glob=False)
        # What the table gained or lost since: these rows are stale, and will be rebuilt.
        frame = frame.select(
            pl.col(name) if name in frame.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in filing.schema.items()
        )
        gone = pl.DataFrame(
            {"_unit": [unit.period for unit in units], "_unit_part": [unit.part for unit in units]}
        )
        return filing.keyed(frame).join(gone, on=["_unit", "_unit_part"], how="anti")

    def _write(self, filing: Filing, buckets: Sequence[tuple[str, pl.DataFrame]]) -> None:
        """Stage a file for each bucket of rows in their order, and point its slices to it."""

        def encoded(rows: pl.DataFrame) -> bytes:
            return parquet_bytes(rows.drop(KEYS), filing.model)

        # The encoding of one file keeps one core busy.
        contents = in_parallel(encoded, [rows for _, rows in buckets])
        for (bucket, rows), content in zip(buckets, contents, strict=True):
            stored = _stored(filing, bucket, sha256(content), len(content), rows.height)
            self._staging.write(stored.path, content)
            self._point(filing.table, rows.select("_period", "_part").unique().iter_rows(), stored)

    def _write_in_order(self, filing: Filing, bucket: str, keyed: Iterable[pl.DataFrame]) -> None:
        """Stage one file of rows that come in its order, and point its slices to it."""
        keys: Counter[tuple[date, str]] = Counter()

        def counted() -> Iterator[pl.DataFrame]:
            for frame in keyed:
                for *key, count in frame.group_by("_period", "_part").len().iter_rows():
                    keys[tuple(key)] += count
                yield frame.drop(KEYS)

        staged = self._staging.room()
        try:
            write_parquet(counted(), filing.model, staged)
        except OSError as error:
            raise cannot_write(staged, error) from error
        size = staged.stat().st_size
        stored = _stored(filing, bucket, sha256_of(staged), size, keys.total())
        self._staging.add(staged, stored.path)
        self._point(filing.table, keys, stored)

    def _point(self, table: str, keys: Iterable[tuple[date, str]], stored: StoredFile) -> None:
        """Let slices lie in a new file."""
        number = self.manifest.take_file_id()
        self._change.files[number] = stored
        old = self.manifest.slices.get(table, {})
        for key in starmap(SliceKey, keys):
            record = self._change.slices.get((table, key)) or old[key]
            self._change.slices[table, key] = record._replace(file=number)


def _stored(filing: Filing, bucket: str, checksum: str, size: int, rows: int) -> StoredFile:
    path = f"{filing.table}/{bucket}-{checksum[:16]}.parquet"
    return StoredFile(filing.table, bucket, path, size, checksum, rows)


def _in_periods(filing: Filing, periods: set[date]) -> pl.Expr:
    column = pl.col(filing.slice_column or "")
    period = column.dt.month_start() if filing.by == "month" else column
    first, last = min(periods), max(periods)
    if filing.by == "month":
        bounds = column.is_between(first, last.replace(day=28)) | (period == last)
    else:
        bounds = column.is_between(first, last)
    return bounds & period.is_in(sorted(periods))
