"""What a table's new rows come to: the checksum of every slice, and the rows of every unit."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import polars as pl

from pipelines.landing.collected import Spilled
from pipelines.warehouse.filing import Filing
from pipelines.warehouse.manifest import SliceKey

KEYS = ("_period", "_part", "_unit", "_unit_part")


class Content(NamedTuple):
    """Checksum and rows of a slice."""

    checksum: bytes
    rows: int


NOTHING = Content(b"", 0)
# One frame, or several in the order in which they are stored.
RowsOfUnit = pl.DataFrame | Iterator[pl.DataFrame]


def contents_of(pieces: Iterable[pl.DataFrame]) -> dict[SliceKey, Content]:
    """Checksum of each slice: the sum of its rows' hashes, so that their order does not matter."""
    sums: Counter[SliceKey] = Counter()
    counts: Counter[SliceKey] = Counter()
    for keyed in pieces:
        slices = keyed.select("_period", "_part")
        hashed = slices.with_columns(_hash=keyed.drop(KEYS).hash_rows())
        per_slice = hashed.group_by("_period", "_part").agg(
            pl.col("_hash").sum(), pl.len().alias("_rows")
        )
        for period, part, total, rows in per_slice.iter_rows():
            sums[SliceKey(period, part)] += total
            counts[SliceKey(period, part)] += rows
    return {key: Content(_checksum(sums[key] % 2**64, rows), rows) for key, rows in counts.items()}


def _checksum(total: int, rows: int) -> bytes:
    return hashlib.blake2b(f"{total}/{rows}".encode(), digest_size=16).digest()


def by_unit(keyed: pl.DataFrame) -> Iterator[tuple[SliceKey, RowsOfUnit]]:
    """The rows of each unit; one that is alone, as on any dense day, is not copied."""
    found = keyed.select("_unit", "_unit_part").unique()
    if found.height == 1:
        yield SliceKey(*found.row(0)), keyed
        return
    for key, rows in keyed.partition_by("_unit", "_unit_part", as_dict=True).items():
        yield SliceKey(*key), rows


def units_in_order(
    filing: Filing, rows: Spilled, contents: Mapping[SliceKey, Content]
) -> Iterator[tuple[SliceKey, RowsOfUnit]]:
    """The rows of each unit, in one reading: the stored order keeps those of a unit together."""
    sizes: Counter[SliceKey] = Counter()
    for key, content in contents.items():
        sizes[filing.unit_of(key)] += content.rows
    parts = (
        (SliceKey(*key), part)
        for chunk in rows.chunks()
        for key, part in filing.keyed(chunk)
        .partition_by("_unit", "_unit_part", as_dict=True, maintain_order=True)
        .items()
    )
    for unit, several in groupby(parts, key=itemgetter(0)):
        frames = (part for _, part in several)
        yield unit, pl.concat(frames) if filing.is_small(sizes[unit]) else frames
