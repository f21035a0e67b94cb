"""Landed files to landed rows: what every file brought, row by row, and what was refused and why.

Small files of one shape are read together, and a large one in blocks, so that neither thousands of
files nor one of many gigabytes costs more than its rows do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.landing.content_ids import number_occurrences
from pipelines.landing.csv_rows import Dialect, Header, csv_rows, read_header
from pipelines.landing.feeds import COMPRESSED, ENDINGS, Feed, check_feeds, feed_of
from pipelines.landing.files import Hashed, RawFile, Unreadable, content, spooled, text_blocks
from pipelines.landing.judge import OCCURRENCE, Circumstances, Judged, judge, used_columns
from pipelines.landing.missing import check_header
from pipelines.landing.ndjson_rows import ndjson_rows
from pipelines.landing.parquet_rows import ParquetFile, guarded, parquet_rows
from pipelines.landing.receipts import COUNTED
from pipelines.landing.rows import BROKEN, RawRows, Segment, joined
from pipelines.landing.sources import Source
from schemas.base import dtypes
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts

BLOCK_BYTES = 64 << 20
UNREADABLE = "unreadable"
_Shape = tuple[int, str, str, tuple[str, ...]]
_ParquetShape = tuple[int, tuple[tuple[str, pl.DataType], ...]]


@dataclass(frozen=True)
class TakenIn:
    """What files brought. ``landed`` is as the source's landed model has it, in no set order.

    ``digests`` are the SHA-256 of the files as they lie on disk; ``"unreadable"`` for one that
    could not be opened.
    """

    landed: pl.DataFrame
    quarantined: pl.DataFrame
    receipts: pl.DataFrame
    digests: dict[RawFile, str]


def take_in(
    files: Sequence[RawFile],
    source: Source,
    feeds: Sequence[Feed],
    *,
    timezone: str,
    earliest_event_date: date,
    block_bytes: int = BLOCK_BYTES,
) -> TakenIn:
    """Read files, map their rows to the contract, and sort them into landed and refused.

    Which files are read in one call, and how large a block is, changes no row. Without feeds every
    file is read by the defaults: canonical names, format by ending. ``block_bytes`` bounds what is
    in work at once, not the frames that are returned; it is also the longest line that is read.
    """
    feeds = feeds or [Feed()]
    check_feeds(source, feeds)
    intake = _Intake(files, source, feeds, timezone, earliest_event_date, block_bytes)
    for number in range(len(files)):
        intake.add(number)
    intake.flush()
    return intake.result()


class _Intake:
    """One call of :func:`take_in`; files go by their number in it."""

    def __init__(
        self,
        files: Sequence[RawFile],
        source: Source,
        feeds: Sequence[Feed],
        timezone: str,
        earliest_event_date: date,
        block_bytes: int,
    ) -> None:
        self._files, self._source, self._feeds = files, source, feeds
        self._block_bytes = block_bytes
        dates = pl.Series([file.landing_date for file in files], dtype=pl.Date)
        names = [file.name for file in files]
        self._given = Circumstances(source, timezone, earliest_event_date, names, dates)
        self._used = [used_columns(source, feed) for feed in feeds]
        self._parts: list[Judged] = []
        self._refused: dict[int, str] = {}
        self._digests: dict[RawFile, str] = {}
        self._waiting: dict[_Shape, list[Segment]] = {}
        self._waiting_parquet: dict[_ParquetShape, list[RawRows]] = {}
        self._waiting_bytes = 0
        self._sound_headers: set[tuple[int, tuple[str, ...]]] = set()

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
        blocks = text_blocks(content(stream, name), feed.encoding, self._block_bytes)
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
                header = self._header(feed, data, delimiter)
                if header is None:
                    line += data.count(b"\n")
                    continue
                self._check_header(chosen, header.columns)
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
                raise Unreadable("the file is a JSON array; it must have one object per line")
            segment = Segment(number, line, block, final)
            if final and line == 1:
                self._wait(shape, segment)
                return
            self._judge_text(shape, [segment])
            line += block.count(b"\n")

    def _read_parquet(self, number: int, chosen: int, stream: Hashed) -> None:
        feed = self._feeds[chosen]
        first = 1
        with spooled(content(stream, self._files[number].name)) as whole:
            parquet = ParquetFile(whole)
            self._check_header(chosen, parquet.columns)
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
        self._waiting_bytes += len(segment.data)
        if self._waiting_bytes >= self._block_bytes:
            self.flush()

    def flush(self) -> None:
        """Judge what waits."""
        for shape, segments in self._waiting.items():
            self._judge_text(shape, segments)
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
            with guarded():
                self._judge(joined(read), feed)
        except Unreadable as error:
            if len(read) == 1:
                self._refused[read[0].at["intake"][0]] = str(error)
                return
            for rows in read:
                self._judge_parquet([rows], feed)

    def _judge_text(self, shape: _Shape, segments: list[Segment]) -> bytes:
        chosen, kind, delimiter, columns = shape
        feed, left = self._feeds[chosen], b""
        used, null_values = self._used[chosen], feed.null_values
        if kind == "csv":
            dialect = Dialect(columns, delimiter, feed.quotes)
            rows, left = csv_rows(segments, dialect, used=used, null_values=null_values)
        else:
            rows = ndjson_rows(segments, used=used, null_values=null_values, unwrap=feed.unwrap)
        self._judge(rows, feed)
        return left

    def _judge(self, rows: RawRows, feed: Feed) -> None:
        self._parts.append(judge(rows, feed, self._given))

    def result(self) -> TakenIn:
        """All parts put together, without the files that were refused."""
        landed = self._together([part.landed for part in self._parts])
        quarantined = self._together([part.quarantined for part in self._parts])
        counts = self._together([part.counts for part in self._parts])
        return TakenIn(
            self._landed(landed),
            self._quarantined(quarantined),
            self._receipts(counts),
            self._digests,
        )

    def _together(self, parts: list[pl.DataFrame]) -> pl.DataFrame | None:
        if not parts:
            return None
        whole = pl.concat(parts)
        if not self._refused:
            return whole
        return whole.filter(~pl.col("intake").is_in(list(self._refused)))

    def _landed(self, landed: pl.DataFrame | None) -> pl.DataFrame:
        schema = dtypes(self._source.landed)
        if landed is None:
            return pl.DataFrame(schema=schema)
        for id_column in landed[OCCURRENCE].unique().drop_nulls().sort():
            numbered = landed[OCCURRENCE].eq_missing(id_column)
            landed = number_occurrences(landed, id_column, numbered)
        return landed.select(*schema)

    def _quarantined(self, rows: pl.DataFrame | None) -> pl.DataFrame:
        schema = dtypes(Quarantine)
        whole = pl.DataFrame(
            {
                "intake": list(self._refused),
                "line": 0,
                "item": 0,
                "raw": None,
                "reasons": list(self._refused.values()),
            },
            schema=BROKEN,
        )
        every = whole if rows is None else pl.concat([rows, whole])
        return self._named(every).select(*schema)

    def _receipts(self, counts: pl.DataFrame | None) -> pl.DataFrame:
        numbers = range(len(self._files))
        status = ["refused" if number in self._refused else "read" for number in numbers]
        every = pl.DataFrame(
            {"intake": numbers, "status": status}, schema={"intake": pl.UInt32, "status": pl.String}
        )
        if counts is None:
            counts = pl.DataFrame(schema={"intake": pl.UInt32} | dict.fromkeys(COUNTED, pl.Int64))
        totals = counts.group_by("intake").agg(pl.col(COUNTED).sum())
        joined = self._named(every).join(totals, on="intake", how="left", maintain_order="left")
        return joined.with_columns(pl.col(COUNTED).fill_null(0)).select(*dtypes(Receipts))

    def _named(self, rows: pl.DataFrame) -> pl.DataFrame:
        names = pl.Series("file", self._given.names, dtype=pl.String)
        return rows.with_columns(
            names.gather(rows["intake"]),
            self._given.landing_dates.gather(rows["intake"]).alias("landing_date"),
        )


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    held = next(blocks, None)
    while held is not None:
        following = next(blocks, None)
        yield held, following is None
        held = following
