"""A published table in segments, of which only those that changed are made anew.

A segment is a month of the table, or a year in which the table has few rows; a table that is not
divided is one. Where a row lies follows from its rows alone, so that the same rows are the same
bytes, whatever was published before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from pipelines.publish.joining import JoinedFile, Piece, Segment, join
from pipelines.publish.personal import without_addresses
from pipelines.warehouse.digests import digest_of
from pipelines.warehouse.disk import cannot_write
from pipelines.warehouse.filing import Filing, is_shared
from pipelines.warehouse.parquet import parquet_bytes
from pipelines.warehouse.records import Slice, SliceKey
from pipelines.warehouse.store import Store

FEW_ROWS = 50_000


class Rendering:
    """One table on its way to readers.

    After :meth:`write`, ``left`` are the former file's segments that are still part of it, and
    ``made`` the rows of the segments that were made; of a table that nobody compares, which may be
    large, none are kept.
    """

    def __init__(
        self,
        store: Store,
        filing: Filing,
        version: bytes,
        *,
        with_addresses: bool,
        is_compared: bool,
    ) -> None:
        """``version`` is what else than its rows decides about the bytes of a segment."""
        self._store = store
        self._filing = filing
        self._version = version
        self._with_addresses = with_addresses
        self._is_compared = is_compared
        self._slices: Mapping[SliceKey, Slice] = store.manifest.slices.get(filing.table, {})
        self.made: list[pl.DataFrame] = []
        self.left: set[Segment] = set()

    def write(self, path: Path, former: JoinedFile | None) -> tuple[str, int]:
        """Write the table; gives the SHA-256 of the file and its rows.

        ``former`` is the file that readers have, of which bytes are taken over where they serve.
        """
        parts = self._parts()
        empty = parquet_bytes(pl.DataFrame(schema=self._filing.schema), self._filing.model)
        try:
            checksum = join(self._pieces(parts, former), empty, path)
        except OSError as error:
            raise cannot_write(path, error) from error
        return checksum, sum(record.rows for record in self._slices.values())

    def _parts(self) -> dict[str, list[SliceKey]]:
        """The slices of each segment that have rows, in the order of time."""
        filled = sorted(key for key, record in self._slices.items() if record.rows)
        if self._filing.by == "whole":
            return {"all": filled} if filled else {}
        of_year: Counter[int] = Counter()
        for key in filled:
            of_year[key.period.year] += self._slices[key].rows
        parts: dict[str, list[SliceKey]] = defaultdict(list)
        for key in filled:
            is_few = of_year[key.period.year] < FEW_ROWS
            parts[f"{key.period:%Y}" if is_few else f"{key.period:%Y-%m}"].append(key)
        return parts

    def _pieces(
        self, parts: Mapping[str, list[SliceKey]], former: JoinedFile | None
    ) -> Iterator[Piece]:
        known = {(s.name, s.digest): s for s in former.segments} if former else {}
        for name, keys in parts.items():
            digest = self._digest(keys)
            segment = known.get((name, digest))
            piece = former.piece(segment) if former and segment else None
            if piece is None:
                yield Piece.of_file(name, digest, self._made(keys))
            else:
                self.left.add(piece.segment)
                yield piece

    def _digest(self, keys: list[SliceKey]) -> str:
        said = (f"{key.period}/{key.part}/".encode() + self._slices[key].checksum for key in keys)
        return digest_of([self._version, *said]).hex()

    def _made(self, keys: list[SliceKey]) -> bytes:
        """A segment as a file; that of the warehouse, where one holds just these rows."""
        frame = self._store.scan(self._filing, keys).collect()
        shown = frame if self._with_addresses else without_addresses(frame)
        if self._is_compared:
            self.made.append(shown)
        numbers = {self._slices[key].file for key in keys}
        files = [self._store.manifest.files[number] for number in numbers if number is not None]
        is_own = len(files) == 1 and files[0].rows == frame.height
        if shown is frame and is_own and not is_shared(files[0].bucket):
            return (self._store.root / files[0].path).read_bytes()
        return parquet_bytes(shown.sort(self._filing.order), self._filing.model)


def opened(path: Path) -> JoinedFile | None:
    """A published file by its segments, where it can be read."""
    try:
        return JoinedFile(path)
    except (OSError, ValueError, IndexError):
        return None
