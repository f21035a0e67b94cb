"""Files of landing without a person: their records dropped, their ids blanked elsewhere."""

import gzip
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from pipelines.forgetting.contents import (
    decoded,
    head_of,
    is_textual,
    mark_and_encoding,
    packing,
    unpacked,
)
from pipelines.forgetting.matching import Ids
from pipelines.forgetting.requests import settle
from pipelines.landing.files import Unreadable, spooled
from pipelines.landing.kinds_of_files import kind_of
from pipelines.landing.tombstones import BLANK

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
FRESH = ".forgetting"


@dataclass(frozen=True)
class Doomed:
    """What is to go from a file: lines or rows of Parquet by number, and ids."""

    numbers: Collection[int]
    ids: Ids
    encoding: str
    is_json: bool


def rewrite(path: Path, doomed: Doomed) -> bool:
    """Put a file without the doomed in its place; whether anything of it was.

    Format, packing, encoding, line ends and permissions stay. Raises Unreadable, and changes
    nothing, where the file cannot be read to its end.
    """
    fresh = path.with_name(f".{path.name}{FRESH}")
    try:
        with fresh.open("wb") as stream:
            shutil.copymode(path, fresh)
            with _packed(stream, packing(path)) as out:
                if kind_of(head_of(path)) == "Parquet":
                    is_changed = _rewrite_parquet(path, out, doomed)
                else:
                    is_changed = _rewrite_text(path, out, doomed)
        if is_changed:
            settle(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return is_changed


def clear_leavings(landing: Path) -> None:
    """Remove what a killed command left of files it was writing."""
    for fresh in landing.rglob(f".*{FRESH}"):
        fresh.unlink(missing_ok=True)


def _packed(stream: IO[bytes], how: str | None) -> IO[bytes]:
    if how == "gzip":
        return cast("IO[bytes]", gzip.GzipFile("", "wb", fileobj=stream, mtime=0))
    if how == "zstd":
        return cast("IO[bytes]", zstandard.ZstdCompressor().stream_writer(stream, closefd=False))
    return open(os.dup(stream.fileno()), "wb")  # noqa: PTH123


def _rewrite_text(path: Path, out: IO[bytes], doomed: Doomed) -> bool:
    mark, encoding = mark_and_encoding(head_of(path), doomed.encoding)
    out.write(mark)
    is_changed = False
    for number, line in enumerate(_lines(path, mark, encoding), 1):
        if number in doomed.numbers:
            is_changed = True
            continue
        blanked = doomed.ids.blanked(line, is_json=doomed.is_json)
        is_changed |= blanked != line
        out.write(blanked.encode(encoding, "surrogateescape"))
    return is_changed


def _lines(path: Path, mark: bytes, encoding: str) -> Iterator[str]:
    r"""Lines with their ends, which are \n, \r\n or \r."""
    held = ""
    for text in decoded(_without(mark, unpacked(path)), encoding):
        held += text
        # The \n that belongs to a \r may be the next character.
        whole = held[: max(held.rfind("\n"), held.rfind("\r", 0, -1)) + 1]
        yield from _LINE.findall(whole)[: -1 if whole else None]
        held = held[len(whole) :]
    yield from (line for line in _LINE.findall(held) if line)


def _without(mark: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(mark):
            break
    yield head.removeprefix(mark)
    yield from chunks


def _rewrite_parquet(path: Path, out: IO[bytes], doomed: Doomed) -> bool:
    is_changed, first = False, 1
    try:
        with spooled(unpacked(path)) as whole:
            file = pq.ParquetFile(whole)
            with pq.ParquetWriter(out, file.schema_arrow, compression=_compression(file)) as writer:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    left = _kept(table, first, doomed)
                    first += table.num_rows
                    is_changed |= left is not table
                    if left.num_rows:
                        writer.write_table(left)
    except pa.ArrowException as error:
        raise Unreadable(f"it is no sound Parquet: {error}") from None
    return is_changed


def _compression(file: pq.ParquetFile) -> str:
    meta = file.metadata
    if not meta.num_row_groups or not meta.num_columns:
        return "snappy"
    said = str(meta.row_group(0).column(0).compression).lower()
    return "none" if said == "uncompressed" else said


def _kept(table: pa.Table, first: int, doomed: Doomed) -> pa.Table:
    """The rows that stay, with the ids blanked; the table itself where nothing changes."""
    stays = [first + at not in doomed.numbers for at in range(table.num_rows)]
    left = table if all(stays) else table.filter(pa.array(stays, pa.bool_()))
    for place, field in enumerate(left.schema):
        if not is_textual(field.type):
            continue
        values = left.column(place).to_pylist()
        blanked = [_blanked(value, doomed.ids, field.name) for value in values]
        if blanked != values:
            made = pa.array(blanked, _plain(field.type))
            left = left.set_column(place, field, made.cast(field.type))
    return left


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _blanked(value: Any, ids: Ids, column: str = "") -> Any:
    if isinstance(value, str):
        return BLANK if ids.stand_in(value, column) and value in ids.all else ids.blanked(value)
    if isinstance(value, bytes):
        text = value.decode(errors="surrogateescape")
        return str(_blanked(text, ids, column)).encode(errors="surrogateescape")
    if isinstance(value, dict):
        return {key: _blanked(each, ids, key) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_blanked(each, ids) for each in value]
    return value
