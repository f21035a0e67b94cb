"""More rows than memory should hold, sorted: an external merge sort.

Rows are written as *runs*, each sorted by itself, as Arrow files of small record batches. The first
and the last key of every batch stay in memory, so that any stretch of the order is read from just
the batches that hold some of it.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from pipelines.errors import TidemarkError

_BATCHES_AT_ONCE = 8
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
    batch_bytes: int = 12 << 20


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
        self._runs: list[Path] = []
        self._batches: list[_Batch] = []
        self._names: list[str] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Write one run."""
        if frame.is_empty():
            return
        ordered = frame.sort(self.order)
        keys = ordered.select(self.order)
        per_row = 1 + int(ordered.estimated_size()) // ordered.height
        self._names = ordered.columns
        # Arrow takes no name with a NUL, and landing has such.
        ordered.columns = [str(place) for place in range(ordered.width)]
        run = len(self._runs)
        path = self._folder / f"{run}.arrow"
        cuts = _cuts(keys.select(self._together), max(1, self._batch_bytes // per_row))
        schema, options = _arrow(ordered[:0]).schema, pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            _no_fault_of_the_file(path),
            pa.ipc.new_file(path, schema, options=options) as writer,
        ):
            for number, (start, end) in enumerate(cuts):
                rows = end - start
                writer.write_table(_arrow(ordered[start:end]), max_chunksize=rows)
                first, last = keys.row(start), keys.row(end - 1)
                self._batches.append(_Batch(first, last, rows * per_row, run, number))
        self._runs.append(path)

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """All rows in no set order; ``columns`` to read not all of them."""
        for run, path in enumerate(self._runs):
            own = [batch for batch in self._batches if batch.run == run]
            with self._open(path, columns) as reader:
                for batches, _ in self._stretches(own):
                    yield self._frame([reader.get_batch(each.number) for each in batches])

    def chunks(self) -> Iterator[pl.DataFrame]:
        """All rows in order, in frames of some hundred megabytes at most."""
        with ExitStack() as stack:
            readers = [stack.enter_context(self._open(path, None)) for path in self._runs]
            open_batches: list[_Batch] = []
            for batches, until in self._stretches(sorted(self._batches)):
                open_batches += batches
                frame = self._frame(
                    [readers[each.run].get_batch(each.number) for each in open_batches]
                )
                after = batches[0].first
                yield frame.filter(self._within(after, until)).sort(self.order)
                # What reaches beyond this stretch has rows in the next one too.
                open_batches = [each for each in open_batches if until and each.last >= until]

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
