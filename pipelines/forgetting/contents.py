"""What files hold, as texts: unpacked and decoded, whatever they are called."""

import codecs
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.forgetting.matching import Ids
from pipelines.landing.files import Hashed, Limits, Unreadable, content, spooled
from pipelines.landing.kinds_of_files import HEAD_BYTES, kind_of

# What an id may take at most when it is escaped: texts overlap by it, so that none is cut in two.
_OVERLAP = 4096
_PACKED = {"gzip": ".gz", "zstd": ".zst"}
_CLOSED = ("a zip archive or an Excel workbook", "an old Excel workbook", "a PDF document")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ANY_SIZE = Limits(file_bytes=1 << 62)


def packing(path: Path) -> str | None:
    """How a file is packed, by its first bytes: gzip, zstd or not at all."""
    with path.open("rb") as stream:
        kind = kind_of(stream.read(HEAD_BYTES))
    return kind if kind in _PACKED else None


def unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked. Raises Unreadable where they cannot be."""
    name = _PACKED.get(packing(path) or "", "")
    with path.open("rb", buffering=0) as opened:
        yield from content(Hashed(opened), name, _ANY_SIZE)


def head_of(path: Path) -> bytes:
    """The first unpacked bytes."""
    head = b""
    for chunk in unpacked(path):
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head[:HEAD_BYTES]


def mark_and_encoding(head: bytes, said: str) -> tuple[bytes, str]:
    """The byte order mark of a text, and how it is encoded where its feed has ``said`` so."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return mark, encoding
    zeros = [byte == 0 for byte in head[:4]]
    for encoding, places in (("utf-16-le", [False, True] * 2), ("utf-16-be", [True, False] * 2)):
        if zeros == places:
            return b"", encoding
    return b"", said


def decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Text that gives the same bytes again, also where they are none of the encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise Unreadable(f"it is not {encoding}: {error}") from None


def holds(path: Path, ids: Ids, encoding: str = "utf-8") -> bool:
    """Whether any of the ids stands in a file. Raises Unreadable where that cannot be told."""
    return any(ids.stand_in(text, column) for text, column in texts(path, encoding))


def texts(path: Path, encoding: str = "utf-8") -> Iterator[tuple[str, str]]:
    """Everything that a file says, in pieces, each with its column where there are columns."""
    head = head_of(path)
    kind = kind_of(head)
    if kind in _CLOSED:
        raise Unreadable(f"it is {kind}, which is not looked into")
    if kind == "Parquet":
        with spooled(unpacked(path)) as whole:
            yield from _parquet_texts(whole)
    elif kind == "an SQLite database":
        yield from _sqlite_texts(path)
    elif path.suffix == ".duckdb":
        yield from _duckdb_texts(path)
    else:
        encoding = mark_and_encoding(head, encoding)[1]
        held = ""
        for text in decoded(unpacked(path), encoding):
            yield held + text, ""
            held = (held + text)[-_OVERLAP:]


def _parquet_texts(whole: IO[bytes]) -> Iterator[tuple[str, str]]:
    try:
        file = pq.ParquetFile(whole)
        footer = file.metadata.metadata or {}
        for said in (*footer, *footer.values()):
            yield said.decode(errors="surrogateescape"), ""
        for batch in file.iter_batches():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                for text in strings_of(column):
                    yield text, name
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(f"it is no sound Parquet: {error}") from None


def is_textual(kind: pa.DataType) -> bool:
    """Whether texts stand in values of this type, at whatever depth."""
    if pa.types.is_dictionary(kind):
        return is_textual(kind.value_type)
    if pa.types.is_nested(kind):
        return any(is_textual(kind.field(place).type) for place in range(kind.num_fields))
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def strings_of(column: pa.Array) -> Iterator[str]:
    """Every text in a column, each once where that is cheap."""
    if not is_textual(column.type):
        return
    nested = pa.types.is_nested(column.type)
    for value in (column if nested else column.unique()).to_pylist():
        yield from _inner(value)


def _inner(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode(errors="surrogateescape")
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _inner(key)
            yield from _inner(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _inner(each)


def _sqlite_texts(path: Path) -> Iterator[tuple[str, str]]:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                found = connection.execute(f'SELECT * FROM "{table}"')
                names = [column[0] for column in found.description]
                for row in found:
                    for name, value in zip(names, row, strict=True):
                        for text in _inner(value):
                            yield text, name
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Unreadable(f"it is no sound SQLite database: {error}") from None


def _duckdb_texts(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            said = connection.execute(
                "SELECT sql, comment FROM duckdb_views() WHERE NOT internal "
                "UNION ALL SELECT sql, comment FROM duckdb_tables() WHERE NOT internal "
                "UNION ALL SELECT column_name, comment FROM duckdb_columns() WHERE NOT internal"
            ).fetchall()
            tables = connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
            ).fetchall()
            for row in said:
                yield from ((text, "") for text in _inner(row))
            for schema, table in tables:
                found = connection.execute(f'SELECT * FROM "{schema}"."{table}"')
                names = [column[0] for column in found.description]
                for row in found.fetchall():
                    for name, value in zip(names, row, strict=True):
                        yield from ((text, name) for text in _inner(value))
    except duckdb.Error as error:
        raise Unreadable(f"it is no DuckDB file that can be opened: {error}") from None
