"""The first rows of a file that nothing is known of: its format, and what its columns hold."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
import polars as pl

from pipelines.landing.csv_rows import said_delimiter
from pipelines.landing.feeds import COMPRESSED, ENDINGS, Format, ending
from pipelines.landing.files import Hashed, Limits, RawFile, Unreadable, content, spooled
from pipelines.landing.json_text import dump
from pipelines.landing.kinds_of_files import HEAD_BYTES, kind_of
from pipelines.landing.parquet_rows import ParquetFile

MOST_ROWS = 500
_BYTES = 512 << 10
_DELIMITERS = (",", ";", "\t", "|")
_VALUE = re.compile(r"[-+]?[\d.,:/ T-]*\d[\d.,:/ TZ+-]*")
_DEEPEST = 3


@dataclass(frozen=True)
class Glimpse:
    """What a look at a file tells. ``feed`` is what a feed must say so that it can be read.

    ``values`` are the texts by column, or by path into nested JSON; ``pages`` are keys under which
    an object has a list of objects. ``problem`` is why the file cannot be read as it is.
    """

    file: RawFile
    format: Format
    feed: dict[str, Any]
    columns: tuple[str, ...]
    values: dict[str, list[str | None]]
    rows: int
    sample: bytes
    pages: tuple[str, ...] = ()
    problem: str | None = None


def glimpse(file: RawFile) -> Glimpse:
    """Look at the beginning of a file."""
    try:
        with file.path.open("rb", buffering=0) as opened:
            chunks = content(Hashed(opened), file.name, Limits())
            said = ENDINGS.get(ending(file.name))
            if said == "parquet":
                return _of_parquet(file, chunks)
            data = _beginning(chunks)
    except (Unreadable, OSError) as error:
        return _unread(file, str(error))
    if data.startswith(b"PAR1"):
        return _unread(file, "it is Parquet: let its name end in .parquet")
    if kind := kind_of(data[:HEAD_BYTES]):
        return _unread(file, f"it is {kind}")
    text, encoding = _decoded(data)
    # A file that is cut here ends within a line.
    if len(data) >= _BYTES:
        text = text[: text.rfind("\n") + 1]
    found: Format = said or ("ndjson" if text.lstrip().startswith("{") else "csv")
    feed: dict[str, Any] = {} if said else {"format": found}
    if encoding != "utf-8":
        feed["encoding"] = encoding
    return (_of_json if found == "ndjson" else _of_csv)(file, text, feed)


def _unread(file: RawFile, problem: str, found: Format = "ndjson") -> Glimpse:
    return Glimpse(file, found, {}, (), {}, 0, b"", problem=problem)


def _beginning(chunks: Iterator[bytes]) -> bytes:
    data = b""
    for chunk in chunks:
        data += chunk
        if len(data) >= _BYTES:
            break
    return data


def _decoded(data: bytes) -> tuple[str, str]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="ignore"), "utf-16"
    for cut in range(4):
        try:
            return data[: len(data) - cut].decode("utf-8-sig"), "utf-8"
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", errors="replace"), "cp1252"


def _of_json(file: RawFile, text: str, feed: dict[str, Any]) -> Glimpse:
    if text.lstrip().startswith("["):
        return _unread(file, "it is a JSON array: write one object a line (jq -c '.[]')")
    rows: list[dict[str, Any]] = []
    lines = [line for line in text.splitlines() if line.strip()][:MOST_ROWS]
    for line in lines:
        try:
            row = orjson.loads(line)
        except ValueError:
            continue
        rows += [row] if isinstance(row, dict) else []
    if not rows:
        return _unread(file, "it has no JSON object on a line of its own (jq -c . makes them)")
    pages = {key for row in rows for key, value in row.items() if _is_page(value)}
    columns = tuple(sorted({key for row in rows for key in row}))
    sample = "".join(line + "\n" for line in lines).encode()
    values = _by_path(rows)
    return Glimpse(file, "ndjson", feed, columns, values, len(rows), sample, tuple(sorted(pages)))


def _is_page(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _by_path(rows: list[dict[str, Any]]) -> dict[str, list[str | None]]:
    flat = [dict(_paths(row)) for row in rows]
    names = sorted({name for row in flat for name in row})
    return {name: [row.get(name) for row in flat] for name in names}


def _paths(value: dict[str, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        name = f"{before}{key}"
        if isinstance(inner, dict) and depth < _DEEPEST:
            yield from _paths(inner, f"{name}.", depth + 1)
        elif inner is not None and inner != "":
            yield name, inner if isinstance(inner, str) else dump(inner)


def _of_csv(file: RawFile, text: str, feed: dict[str, Any]) -> Glimpse:
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    by_name = "\t" if ending(file.name) == ".tsv" else ","
    said = said_delimiter(text.encode())
    if said:
        delimiter, text = said[0], said[1].decode()
    else:
        delimiter = _delimiter(text, by_name)
    if delimiter != by_name:
        feed["delimiter"] = delimiter
    records = list(islice(_records(io.StringIO(text), delimiter), MOST_ROWS + 1))
    if not records:
        return _unread(file, "it is empty", "csv")
    header = [name.strip() for name in records[0]]
    rows = records[1:]
    if not _is_header(header):
        feed["header"] = [f"column {i}" for i in range(1, len(header) + 1)]
        header, rows = feed["header"], records
    whole = [row for row in rows if len(row) == len(header)]
    values = {
        name: [row[i] if row[i] != "" else None for row in whole] for i, name in enumerate(header)
    }
    sample = "\n".join(text.splitlines()[: MOST_ROWS + 1]) + "\n"
    return Glimpse(file, "csv", feed, tuple(header), values, len(whole), sample.encode())


def _delimiter(text: str, by_name: str) -> str:
    """The one that gives most columns, the same number in nearly every line."""
    lines = text.splitlines()[:50]
    best, most = by_name, 1
    for delimiter in (by_name, *_DELIMITERS):
        widths = Counter(len(row) for row in _records(lines, delimiter) if row)
        width, often = widths.most_common(1)[0] if widths else (1, 0)
        if width > most and often >= 0.8 * widths.total():
            best, most = delimiter, width
    return best


def _records(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    # Fields between tabs seldom stand in quotes, and a stray one would swallow the lines after it.
    if delimiter == "\t":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter)


def _is_header(names: list[str]) -> bool:
    sound = all(names) and len(set(names)) == len(names)
    return sound and not any(_VALUE.fullmatch(name) for name in names)


def _of_parquet(file: RawFile, chunks: Iterator[bytes]) -> Glimpse:
    with spooled(chunks) as whole:
        try:
            frame = next(ParquetFile(whole).batches(1 << 20), pl.DataFrame()).head(MOST_ROWS)
        except Unreadable as error:
            return _unread(file, str(error), "parquet")
    sample = io.BytesIO()
    frame.write_parquet(sample)
    values = _by_path(frame.to_dicts())
    return Glimpse(
        file, "parquet", {}, tuple(frame.columns), values, frame.height, sample.getvalue()
    )


def bare_name(name: str) -> str:
    """A file's name without what says that it is compressed."""
    return next((name.removesuffix(each) for each in COMPRESSED if name.endswith(each)), name)
