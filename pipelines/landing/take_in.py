"""Landed files to landed rows: what every file brought, row by row, and what was refused and why.

Small files of one shape are read together, and a large one in blocks, so that neither thousands of
files nor one of many gigabytes costs more than its rows do.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from pipelines.landing.csv_rows import Dialect, Header, csv_rows, read_header, said_delimiter
from pipelines.landing.feeds import COMPRESSED, ENDINGS, Feed, Format, check_feeds, feed_of
from pipelines.landing.files import Hashed, Limits, RawFile, Unreadable, content, guarded, spooled
from pipelines.landing.judge import Circumstances, judge, used_columns
from pipelines.landing.kinds_of_files import HEAD_BYTES, misnamed
from pipelines.landing.missing import check_header, check_keys
from pipelines.landing.ndjson_rows import ndjson_rows
from pipelines.landing.parquet_rows import UNSOUND, ParquetFile, parquet_rows
from pipelines.landing.results import Results, TakenIn
from pipelines.landing.rows import RawRows, Segment, joined
from pipelines.landing.sorted_runs import Spilling
from pipelines.landing.sources import Source
from pipelines.landing.text_blocks import text_blocks, work_of
from pipelines.landing.tombstones import NOBODY, Tombstones
from pipelines.landing.unmapped import Unmapped

BLOCK_BYTES = 64 << 20
_ARRAY = "the file is a JSON array; it must have one object per line (jq -c '.[]' makes them of it)"
UNREADABLE = "unreadable"
UNFORESEEN = "the file holds what was not foreseen (please report it)"
DEFAULT_LIMITS = Limits()
_SAID: dict[Format, str] = {"csv": "CSV", "ndjson": "NDJSON", "parquet": "Parquet"}
_Shape = tuple[int, str, str, tuple[str, ...]]
_ParquetShape = tuple[int, tuple[tuple[str, pl.DataType], ...]]


def take_in(
    files: Sequence[RawFile],
    source: Source,
    feeds: Sequence[Feed],
    *,
    timezone: str,
    earliest_event_date: date,
    limits: Limits = DEFAULT_LIMITS,
    block_bytes: int = BLOCK_BYTES,
    pseudonym_key: bytes | None = None,
    tombstones: Tombstones = NOBODY,
    spilling: Spilling | None = None,
) -> TakenIn:
    """Read files, map their rows to the contract, and sort them into landed and refused.

    Which files are read in one call, and how large a block is, changes no row. Without feeds every
    file is read by the defaults: canonical names, format by ending. ``block_bytes`` bounds what is
    in work at once, ``spilling`` what is held of the rows that come of it; without it all of them
    are held. What is spilled changes no row. With a ``pseudonym_key`` ids of people land as keyed
    pseudonyms. Rows of people with ``tombstones`` are only counted.
    """
    feeds = feeds or [Feed()]
    check_feeds(source, feeds)
    dates = pl.Series([file.landing_date for file in files], dtype=pl.Date)
    names = [file.name for file in files]
    given = Circumstances(
        source, timezone, earliest_event_date, names, dates, pseudonym_key, tombstones
    )
    intake = _Intake(files, feeds, given, limits, block_bytes, spilling)
    try:
        for number in range(len(files)):
            intake.add(number)
        intake.flush()
        return intake.result()
    except BaseException:
        intake.clear()
        raise


class _Intake:
    """One call of :func:`take_in`; files go by their number in it."""

    def __init__(
        self,
        files: Sequence[RawFile],
        feeds: Sequence[Feed],
        given: Circumstances,
        limits: Limits,
        block_bytes: int,
        spilling: Spilling | None,
    ) -> None:
        self._files, self._source, self._feeds = files, given.source, feeds
        self._limits, self._block_bytes, self._given = limits, block_bytes, given
        self._used = [used_columns(given.source, feed) for feed in feeds]
        self._results = Results(given, spilling)
        self._refused: dict[int, str] = {}
        self._digests: dict[RawFile, str] = {}
        self._waiting: dict[_Shape, list[Segment]] = {}
        self._waiting_parquet: dict[_ParquetShape, list[RawRows]] = {}
        self._waiting_bytes = 0
        self._sound_headers: set[tuple[int, tuple[str, ...]]] = set()
        self._unmapped = Unmapped()
        self._keys: dict[tuple[int, int], set[str]] = {}

    def add(self, number: int) -> None:
        """Read one file, or refuse it."""
        file = self._files[number]
        try:
            with file.path.open("rb", buffering=0) as opened:
                stream = Hashed(opened)
                try:
                    self._read(number, stream)
                except Unreadable as error:
                    self._refused[number] = str(error)
                self._digests[file] = stream.digest()
        except OSError as error:
            self._digests[file] = UNREADABLE
            self._refused[number] = f"the file cannot be read: {error.strerror or error}"

    def _read(self, number: int, stream: Hashed) -> None:
        name = self._files[number].name
        chosen = feed_of(self._feeds, name)
        if chosen is None:
            paths = ", ".join(feed.path for feed in self._feeds)
            raise Unreadable(
                f"no feed of [sources.{self._source.name}] takes this file: "
                f"its name matches none of the paths {paths}"
            )
        kind = self._feeds[chosen].format_of(name)
        if kind is None:
            raise Unreadable(
                f"the format is not known: the name ends in none of {', '.join(ENDINGS)} "
                f"(before {' or '.join(COMPRESSED)}); set format for its feed"
            )
        if kind == "parquet":
            self._read_parquet(number, chosen, stream)
            return
        feed = self._feeds[chosen]
        unpacked = content(stream, name, self._limits)
        blocks = text_blocks(unpacked, feed.encoding, self._block_bytes, self._limits, _SAID[kind])
        if kind == "csv":
            self._read_csv(number, chosen, blocks)
        else:
            self._read_ndjson(number, chosen, blocks)

    def _read_csv(self, number: int, chosen: int, blocks: Iterator[bytes]) -> None:
        feed = self._feeds[chosen]
        delimiter = feed.delimiter_of(self._files[number].name)
        shape: _Shape | None = None
        line, left = 1, b""
        for block, final in _with_last(blocks):
            data = left + block
            if shape is None:
                if line == 1 and feed.header is None and (said := said_delimiter(data)):
                    (delimiter, data), line = said, 2
                header = self._header(feed, data, delimiter)
                if header is None:
                    line += data.count(b"\n")
                    continue
                self._check_header(chosen, header.columns)
                self._unmapped.add(number, {*header.columns} - self._used[chosen])
                shape = (chosen, "csv", delimiter, header.columns)
                line, data = line + header.first_line - 1, data[header.begins :]
                if final:
                    self._wait(shape, Segment(number, line, data))
                    return
            left = self._judge_text(shape, [Segment(number, line, data, final)])
            line += data.count(b"\n") - left.count(b"\n")

    def _header(self, feed: Feed, data: bytes, delimiter: str) -> Header | None:
        if feed.header is not None:
            return Header(feed.header, 1, 0)
        return read_header(data, delimiter, quotes=feed.quotes)

    def _read_ndjson(self, number: int, chosen: int, blocks: Iterator[bytes]) -> None:
        shape: _Shape = (chosen, "ndjson", "", ())
        line = 1
        for block, final in _with_last(blocks):
            if line == 1 and block.lstrip().startswith(b"["):
                raise Unreadable(_ARRAY)
            segment = Segment(number, line, block, final)
            if final and line == 1:
                self._wait(shape, segment)
                return
            self._judge_text(shape, [segment])
            line += block.count(b"\n")

    def _read_parquet(self, number: int, chosen: int, stream: Hashed) -> None:
        feed = self._feeds[chosen]
        first = 1
        name = self._files[number].name
        with spooled(content(stream, name, self._limits)) as whole:
            said = misnamed(whole.read(HEAD_BYTES), _SAID["parquet"])
            if said:
                raise Unreadable(said)
            parquet = ParquetFile(whole)
            self._check_header(chosen, parquet.columns)
            self._unmapped.add(number, {*parquet.columns} - self._used[chosen])
            for frame in parquet.batches(self._block_bytes):
                rows = parquet_rows(
                    frame, number, first, used=self._used[chosen], null_values=feed.null_values
                )
                self._wait_for_parquet(chosen, rows, int(frame.estimated_size()))
                first += frame.height

    def _check_header(self, chosen: int, columns: tuple[str, ...]) -> None:
        # Thousands of files share a header.
        if (chosen, columns) not in self._sound_headers:
            check_header(self._source, self._feeds[chosen], columns)
            self._sound_headers.add((chosen, columns))

    def _wait(self, shape: _Shape, segment: Segment) -> None:
        self._waiting.setdefault(shape, []).append(segment)
        self._waiting_bytes += work_of(segment.data)
        if self._waiting_bytes >= self._block_bytes:
            self.flush()

    def flush(self) -> None:
        """Judge what waits."""
        for shape, segments in self._waiting.items():
            self._judge_segments(shape, segments)
        for (chosen, _), read in self._waiting_parquet.items():
            self._judge_parquet(read, self._feeds[chosen])
        self._waiting, self._waiting_parquet, self._waiting_bytes = {}, {}, 0

    def _wait_for_parquet(self, chosen: int, rows: RawRows, size: int) -> None:
        shape = (chosen, tuple(rows.columns.schema.items()))
        self._waiting_parquet.setdefault(shape, []).append(rows)
        self._waiting_bytes += size
        if self._waiting_bytes >= self._block_bytes:
            self.flush()

    def _judge_parquet(self, read: list[RawRows], feed: Feed) -> None:
        """Judge what was read together; if that fails, each by itself, to refuse the one file."""
        try:
            with guarded(UNSOUND):
                self._judge(joined(read), feed)
        except Unreadable as error:
            if len(read) == 1:
                self._refused[read[0].at["intake"][0]] = str(error)
                return
            for rows in read:
                self._judge_parquet([rows], feed)

    def _judge_segments(self, shape: _Shape, segments: list[Segment]) -> None:
        """Judge what was read together; if that fails, each by itself, to refuse the one file."""
        try:
            self._judge_text(shape, segments)
        except Unreadable as error:
            if len(segments) == 1:
                self._refused[segments[0].intake] = str(error)
                return
            for segment in segments:
                self._judge_segments(shape, [segment])

    def _judge_text(self, shape: _Shape, segments: list[Segment]) -> bytes:
        chosen, kind, delimiter, columns = shape
        feed, used, left = self._feeds[chosen], self._used[chosen], b""
        nulls = feed.null_values
        with guarded(UNFORESEEN):
            if kind == "csv":
                dialect = Dialect(columns, delimiter, feed.quotes)
                rows, left = csv_rows(segments, dialect, used=used, null_values=nulls)
            else:
                rows, keys = ndjson_rows(segments, used=used, null_values=nulls, unwrap=feed.unwrap)
                for number, names in keys.items():
                    self._unmapped.add(number, names - used)
                    self._keys.setdefault((number, chosen), set()).update(names & used)
            self._judge(rows, feed)
        return left

    def _judge(self, rows: RawRows, feed: Feed) -> None:
        self._results.add(judge(rows, feed, self._given))

    def result(self) -> TakenIn:
        """All parts put together, without the files that were refused."""
        self._refuse_keyless()
        return self._results.taken_in(self._refused, self._unmapped, self._digests)

    def clear(self) -> None:
        """Delete what went to the disk."""
        self._results.clear()

    def _refuse_keyless(self) -> None:
        """Refuse files of which no row landed because all lack the same key; one proves nothing."""
        counts = self._results.counts()
        totals = counts.group_by("intake").agg(pl.col("read_rows", "landed_rows").sum())
        barren = totals.filter(pl.col("landed_rows") == 0, pl.col("read_rows") > 1)["intake"]
        without_rows = set(barren)
        for (number, chosen), keys in self._keys.items():
            if number in without_rows and number not in self._refused:
                names = sorted({*keys, *self._unmapped.names(number)})
                try:
                    check_keys(self._source, self._feeds[chosen], names)
                except Unreadable as error:
                    self._refused[number] = str(error)


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    held = next(blocks, None)
    while held is not None:
        following = next(blocks, None)
        yield held, following is None
        held = following
