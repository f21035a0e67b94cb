"""What a table's new rows come to: the checksum of every slice, and the rows of every unit."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import polars as pl

from pipelines.landing.collected import Spilled
from pipelines.warehouse.filing import Filing
from pipelines.warehouse.records import SliceKey
from transforms.ordering import sorted_by

_UNIT = ["_unit", "_unit_part"]
KEYS = ("_period", "_part", *_UNIT)


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


def by_unit(
    filing: Filing, keyed: pl.DataFrame, units: Collection[SliceKey]
) -> Iterator[tuple[SliceKey, pl.DataFrame]]:
    """The rows of each of the given units, in their stored order.

    One sort does it: to part the rows first and to sort each part moves all of them twice. Rows
    that came in order are left as they are.
    """
    sizes = keyed.select(_UNIT).group_by(_UNIT).len("rows")
    wanted = pl.DataFrame(list(units), schema=keyed.select(_UNIT).schema, orient="row")
    chosen = sizes.join(wanted, on=_UNIT, how="semi").sort(_UNIT)
    if chosen.height < sizes.height:
        keyed = keyed.join(chosen, on=_UNIT, how="semi")
    # A column in which all units are alike need not be compared.
    between = [name for name in _UNIT if chosen[name].n_unique() > 1]
    ordered = sorted_by(keyed, [*between, *filing.order])
    start = 0
    for *unit, rows in chosen.iter_rows():
        yield SliceKey(*unit), ordered.slice(start, rows)
        start += rows


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
        .partition_by(_UNIT, as_dict=True, maintain_order=True)
        .items()
    )
    for unit, several in groupby(parts, key=itemgetter(0)):
        frames = (part for _, part in several)
        yield unit, pl.concat(frames) if filing.is_small(sizes[unit]) else frames
