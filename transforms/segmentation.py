"""The event dimensions: which there are, and how a combination of their values is written.

What a table counts per segment is the table's own affair.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from schemas.base import ALL, UNKNOWN, dtypes
from schemas.landed_events import EventContract

SEPARATOR = "\x1f"

_IDENTITIES = frozenset({"event_id", "user_id", "anonymous_id", "session_id", "properties"})
EVENT_DIMENSIONS = frozenset(
    name for name, dtype in dtypes(EventContract).items() if dtype == pl.String
).difference(_IDENTITIES)


def event_dimensions(dimensions: Sequence[str]) -> list[str]:
    """Those of the setting ``dimensions`` that events carry, each once, in the setting's order."""
    return [name for name in dict.fromkeys(dimensions) if name in EVENT_DIMENSIONS]


def value_of(dimension: str) -> pl.Expr:
    """The segment of an event: the dimension's value, or ``unknown`` where it has none."""
    return pl.col(dimension).fill_null(UNKNOWN)


def combined(names: Sequence[str]) -> pl.Expr:
    """``segments``: the values of the named dimensions, joined by the separator."""
    if not names:
        return pl.lit("").alias("segments")
    clean = [pl.col(name).str.replace_all(SEPARATOR, " ", literal=True) for name in names]
    return pl.concat_str(clean, separator=SEPARATOR).alias("segments")


def of_everybody(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with ``dimension`` and ``segment`` of the segment that holds all."""
    return rows.with_columns(dimension=pl.lit(ALL), segment=pl.lit(ALL))


def by_dimension(rows: pl.LazyFrame, names: Sequence[str]) -> Iterator[pl.LazyFrame]:
    """The rows with ``dimension`` and ``segment``, of one dimension at a time.

    One at a time, so that only one copy of the rows is held. ``names`` are those that the rows'
    ``segments`` combine, in their order.
    """
    # Cached, or the plan makes the rows anew for each dimension.
    distinct = rows.select("segments").unique().cache()
    values = pl.col("segments").str.split(SEPARATOR)
    for place, name in enumerate(names):
        parts = distinct.with_columns(dimension=pl.lit(name), segment=values.list.get(place))
        yield rows.join(parts, on="segments")
