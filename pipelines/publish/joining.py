"""Parquet files of one schema joined to one, row group by row group, without decoding any.

A row group is copied as it is; only the places that the footer names move. So a table of which one
month changed costs the encoding of that month, and the copying of the rest.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import polars as pl

from pipelines.errors import TidemarkError
from pipelines.publish.compact import BINARY, I64, STRUCT, Elements, Field, Struct, decode, encode

_MAGIC = b"PAR1"
_SEGMENTS = b"segments"
# Fields of the footer, of a row group, of a column chunk and of its metadata (parquet.thrift).
_ROWS, _ROW_GROUPS, _KEY_VALUES = 3, 4, 5
_COLUMNS, _GROUP_PLACE, _ORDINAL = 1, 5, 7
_CHUNK_PLACE, _METADATA, _PAGE_INDICES = 2, 3, (4, 5, 6, 7)
_COMPRESSED, _PAGES, _DATA_PLACES = 7, (9, 11), (9, 10, 11, 14)


class Segment(NamedTuple):
    """A part of a joined file: its name, what it was made from, and where it lies."""

    name: str
    digest: str
    rows: int
    row_groups: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Piece:
    """Encoded rows that can become part of a file: the bytes of row groups, and what they are."""

    segment: Segment
    data: bytes
    row_groups: list[Struct]
    # Place of the data's first byte, which the row groups' places are counted with.
    start: int

    @classmethod
    def of_file(cls, name: str, digest: str, content: bytes) -> Self:
        """All rows of a Parquet file."""
        footer = _footer(content)
        groups = _row_groups(footer)
        data = content[len(_MAGIC) : max(map(_end, groups), default=len(_MAGIC))]
        rows = footer[_ROWS].value
        checksum = hashlib.sha256(data).hexdigest()
        segment = Segment(name, digest, rows, len(groups), len(data), checksum)
        return cls(segment, data, groups, len(_MAGIC))


class JoinedFile:
    """A joined file, open to be read by its segments; one that was not joined has none."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or ValueError where it cannot be read."""
        self._path = path
        with path.open("rb") as stream:
            footer = decode(_footer_bytes(stream))
        self._groups = _row_groups(footer)
        said = [f for f in _key_values(footer) if f[1].value == _SEGMENTS]
        self.segments = [Segment(*each) for each in json.loads(said[0][2].value)] if said else []

    def piece(self, wanted: Segment) -> Piece | None:
        """One segment as it can be joined again; None where its bytes are not those it had."""
        at, group = len(_MAGIC), 0
        for segment in self.segments:
            if segment == wanted:
                with self._path.open("rb") as stream:
                    stream.seek(at)
                    data = stream.read(segment.bytes)
                if hashlib.sha256(data).hexdigest() != segment.sha256:
                    return None
                groups = self._groups[group : group + segment.row_groups]
                return Piece(segment, data, groups, at)
            at, group = at + segment.bytes, group + segment.row_groups
        return None

    def without(self, left: Collection[Segment]) -> pl.DataFrame:
        """The rows of all other segments than these. Raises TidemarkError where they changed."""
        rows = pl.scan_parquet(self._path, glob=False)
        at, parts = 0, [rows.clear()]
        for segment in self.segments:
            if segment not in left:
                if self.piece(segment) is None:
                    raise TidemarkError(f"{self._path} was changed: delete it, and run again")
                parts.append(rows.slice(at, segment.rows))
            at += segment.rows
        return pl.concat(parts).collect()


def join(pieces: Iterable[Piece], frame: bytes, path: Path) -> str:
    """Write a file of the pieces, in their order, and give its SHA-256.

    ``frame`` is a file of the same schema, whose footer serves but for its rows. Never holds more
    than one piece at a time.
    """
    footer = _footer(frame)
    hasher = hashlib.sha256()
    segments: list[Segment] = []
    groups: list[Struct] = []
    with path.open("wb") as stream:

        def put(content: bytes) -> None:
            stream.write(content)
            hasher.update(content)

        put(_MAGIC)
        for piece in pieces:
            by = stream.tell() - piece.start
            groups += [_moved(g, by, len(groups) + i) for i, g in enumerate(piece.row_groups)]
            segments.append(piece.segment)
            put(piece.data)
        said = encode(_of_rows(footer, groups, segments))
        put(said + len(said).to_bytes(4, "little") + _MAGIC)
    return hasher.hexdigest()


def _of_rows(footer: Struct, groups: list[Struct], segments: list[Segment]) -> Struct:
    told = {
        1: Field(BINARY, _SEGMENTS),
        2: Field(BINARY, json.dumps(segments, separators=(",", ":")).encode()),
    }
    key_values = Elements(STRUCT, [*_key_values(footer), told])
    rows = Field(I64, sum(segment.rows for segment in segments))
    changed = {
        _ROWS: rows,
        _ROW_GROUPS: footer[_ROW_GROUPS]._replace(value=Elements(STRUCT, groups)),
        _KEY_VALUES: footer[_KEY_VALUES]._replace(value=key_values),
    }
    return {**footer, **changed}


def _moved(group: Struct, by: int, ordinal: int) -> Struct:
    """A row group whose data begins ``by`` bytes further on."""
    moved = _shifted(group, (_GROUP_PLACE,), by)
    if _ORDINAL in moved:
        moved[_ORDINAL] = moved[_ORDINAL]._replace(value=ordinal)
    columns = moved[_COLUMNS].value
    chunks = [_moved_chunk(chunk, by) for chunk in columns.values]
    moved[_COLUMNS] = moved[_COLUMNS]._replace(value=columns._replace(values=chunks))
    return moved


def _moved_chunk(chunk: Struct, by: int) -> Struct:
    # Indices of pages lie behind all row groups and name places too: readers do without.
    kept = {number: field for number, field in chunk.items() if number not in _PAGE_INDICES}
    metadata = kept[_METADATA]
    kept[_METADATA] = metadata._replace(value=_shifted(metadata.value, _DATA_PLACES, by))
    return _shifted(kept, (_CHUNK_PLACE,), by)


def _end(group: Struct) -> int:
    """Where the last column chunk of a row group ends."""
    ends = []
    for chunk in group[_COLUMNS].value.values:
        metadata = chunk[_METADATA].value
        begins = min(metadata[number].value for number in _PAGES if number in metadata)
        ends.append(begins + metadata[_COMPRESSED].value)
    return int(max(ends))


def _shifted(struct: Struct, places: Iterable[int], by: int) -> Struct:
    """Places of 0 are none."""
    shifted = {
        number: struct[number]._replace(value=struct[number].value + by)
        for number in places
        if number in struct and struct[number].value
    }
    return {**struct, **shifted}


def _footer(content: bytes) -> Struct:
    """The footer of a file."""
    size = int.from_bytes(content[-8:-4], "little")
    begins = len(content) - 8 - size
    if content[-4:] != _MAGIC or begins < len(_MAGIC):
        raise ValueError("no Parquet file")
    return decode(content[begins:-8])


def _footer_bytes(stream: BinaryIO) -> bytes:
    end = stream.seek(0, 2)
    stream.seek(max(0, end - 8))
    tail = stream.read(8)
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or size + 12 > end:
        raise ValueError("no Parquet file")
    stream.seek(end - 8 - size)
    return stream.read(size)


def _row_groups(footer: Struct) -> list[Struct]:
    groups: list[Struct] = footer[_ROW_GROUPS].value.values
    return groups


def _key_values(footer: Struct) -> Iterator[Struct]:
    if _KEY_VALUES in footer:
        yield from footer[_KEY_VALUES].value.values
