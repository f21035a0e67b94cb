"""More rows than memory should hold, sorted: an external merge sort.

Rows are written as *runs*, each sorted by itself, as Arrow files of small record batches. The first
and the last key of every batch stay in memory, so that any stretch of the order is read from just
the batches that hold some of it: at the worst one of every run. Many runs are therefore merged into
one, so that what is read at once does not grow with the number of rows.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from pipelines.errors import TidemarkError

_BATCHES_AT_ONCE = 32
# With more of these than are merged, more than a stretch would have to be read at once.
_MOST_RUNS = 48
# Batches that end where a day ends are read for this day alone; smaller ones are not worth it.
_SMALL_BATCHES = 4

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Spilling:
    """Where rows go that are too many for memory, and what is too many; in bytes, as frames.

    Beyond ``held_bytes`` rows go to the disk in runs of about ``run_bytes``: sorting takes some
    times its size. What is read back at once is some times ``batch_bytes``.
    """

    folder: Path
    held_bytes: int = 256 << 20
    run_bytes: int = 64 << 20
    batch_bytes: int = 1 << 20


class _Batch(NamedTuple):
    first: _Key
    last: _Key
    bytes: int
    run: int
    number: int


class SortedRuns:
    """Rows of one schema, added in any order, read in that of the columns ``order``.

    ``order`` tells all rows apart, and is never null. ``together`` are the first few of its
    columns: rows that are equal in them are likely to be read without the others.
    """

    def __init__(self, spilling: Spilling, order: Sequence[str], together: Sequence[str]) -> None:
        with _no_fault_of_the_file(spilling.folder):
            spilling.folder.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(dir=spilling.folder))
        self._batch_bytes = spilling.batch_bytes
        self.order, self._together = list(order), list(together)
        self._runs: dict[int, Path] = {}
        self._unmerged: list[int] = []
        self._written = 0
        self._batches: list[_Batch] = []
        self._names: list[str] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Write one run."""
        if frame.is_empty():
            return
        self._unmerged.append(self._write([frame.sort(self.order)]))
        if len(self._unmerged) >= _MOST_RUNS:
            self._merge()

    def _merge(self) -> None:
        """Make one run of those that are of one frame each; one that was merged stays as it is."""
        merged = self._unmerged
        self._write(self._in_order([each for each in self._batches if each.run in merged]))
        for run in merged:
            self._runs.pop(run).unlink()
        self._batches = [each for each in self._batches if each.run not in merged]
        self._unmerged = []

    def _write(self, frames: Iterable[pl.DataFrame]) -> int:
        """Write a run of frames that come in its order, and give its number."""
        run = self._written
        self._written += 1
        path = self._folder / f"{run}.arrow"
        with ExitStack() as stack:
            stack.enter_context(_no_fault_of_the_file(path))
            writer, number = None, 0
            for frame in frames:
                self._names = frame.columns
                # Arrow takes no name with a NUL, and landing has such.
                ordered = frame.rename({name: str(i) for i, name in enumerate(frame.columns)})
                if writer is None:
                    options = pa.ipc.IpcWriteOptions(compression="lz4")
                    schema = _arrow(ordered[:0]).schema
                    writer = stack.enter_context(pa.ipc.new_file(path, schema, options=options))
                number = self._write_batches(writer, frame.select(self.order), ordered, run, number)
        self._runs[run] = path
        return run

    def _write_batches(
        self,
        writer: pa.RecordBatchFileWriter,
        keys: pl.DataFrame,
        ordered: pl.DataFrame,
        run: int,
        number: int,
    ) -> int:
        """Write a frame, note what its batches hold, and give the number of the next batch."""
        per_row = 1 + int(ordered.estimated_size()) // ordered.height
        cuts = _cuts(keys.select(self._together), max(1, self._batch_bytes // per_row))
        for start, end in cuts:
            rows = end - start
            writer.write_table(_arrow(ordered[start:end]), max_chunksize=rows)
            first, last = keys.row(start), keys.row(end - 1)
            self._batches.append(_Batch(first, last, rows * per_row, run, number))
            number += 1
        return number

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """All rows in no set order; ``columns`` to read not all of them."""
        for run, path in self._runs.items():
            own = [batch for batch in self._batches if batch.run == run]
            with self._open(path, columns) as reader:
                for batches, _ in self._stretches(own):
                    yield self._frame([reader.get_batch(each.number) for each in batches])

    def chunks(self) -> Iterator[pl.DataFrame]:
        """All rows in order, in frames of some dozen megabytes at most."""
        return self._in_order(self._batches)

    def _in_order(self, batches: Sequence[_Batch]) -> Iterator[pl.DataFrame]:
        """The rows of some runs."""
        with ExitStack() as stack:
            readers = {
                run: stack.enter_context(self._open(self._runs[run], None))
                for run in sorted({each.run for each in batches})
            }
            open_batches: list[_Batch] = []
            for added, until in self._stretches(sorted(batches)):
                open_batches += added
                # Nothing here holds on to a frame while it is worked on elsewhere.
                yield self._stretch(readers, open_batches, added[0].first, until)
                # What reaches beyond this stretch has rows in the next one too.
                open_batches = [each for each in open_batches if until and each.last >= until]

    def _stretch(
        self,
        readers: Mapping[int, pa.RecordBatchFileReader],
        batches: Sequence[_Batch],
        after: _Key,
        until: _Key | None,
    ) -> pl.DataFrame:
        frame = self._frame([readers[each.run].get_batch(each.number) for each in batches])
        return frame.filter(self._within(after, until)).sort(self.order)

    def _stretches(self, batches: Sequence[_Batch]) -> Iterator[tuple[list[_Batch], _Key | None]]:
        """Batches in the given order, some at a time, and with which key the next ones begin.

        None stands for the end.
        """
        some: list[_Batch] = []
        size = 0
        for batch in batches:
            if size >= _BATCHES_AT_ONCE * self._batch_bytes and batch.first > some[-1].first:
                yield some, batch.first
                some, size = [], 0
            some.append(batch)
            size += batch.bytes
        if some:
            yield some, None

    def _within(self, after: _Key, until: _Key | None) -> pl.Expr:
        within = self._not_before(after)
        return within if until is None else within & ~self._not_before(until)

    def _not_before(self, key: _Key) -> pl.Expr:
        """Whether a row's key is ``key`` or a later one."""
        pairs = list(zip(self.order, key, strict=True))
        return reduce(
            lambda later, pair: (
                (pl.col(pair[0]) > pair[1]) | ((pl.col(pair[0]) == pair[1]) & later)
            ),
            reversed(pairs),
            pl.lit(True),
        )

    def _open(self, path: Path, columns: Sequence[str] | None) -> pa.RecordBatchFileReader:
        fields = None if columns is None else sorted(map(self._names.index, columns))
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        return pa.ipc.open_file(pa.OSFile(str(path)), options=options)

    def _frame(self, batches: Sequence[pa.RecordBatch]) -> pl.DataFrame:
        frame = pl.from_arrow(pa.Table.from_batches(batches))
        assert isinstance(frame, pl.DataFrame)
        return frame.rename({number: self._names[int(number)] for number in frame.columns})

    def clear(self) -> None:
        """Delete the runs."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _cuts(keys: pl.DataFrame, most: int) -> Iterator[tuple[int, int]]:
    """Where batches of at most so many rows begin and end."""
    lengths = keys.select(pl.struct(pl.all()).rle().struct.field("len")).to_series()
    start = end = 0
    for length in lengths:
        end += length
        while end - start >= most:
            yield start, start + most
            start += most
        if end - start >= max(1, most // _SMALL_BATCHES):
            yield start, end
            start = end
    if end > start:
        yield start, end


@contextmanager
def _no_fault_of_the_file(place: Path) -> Iterator[None]:
    """A full disk stops the run; it must not pass for a file that cannot be read."""
    try:
        yield
    except OSError as error:
        raise TidemarkError(
            f"{place} cannot be written: {error.strerror or error}. Make room or permissions, or "
            "name another place under [paths] in tidemark.toml, and run again"
        ) from error


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
