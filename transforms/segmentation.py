"""The event dimensions: which there are, and how a combination of their values is written.

What a table counts per segment is the table's own affair.
"""

from collections.abc import Sequence

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


def split(segments: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Each distinct ``segments`` once per dimension, with columns dimension and segment.

    ("all", "all") comes with every combination. ``segments`` is a frame with that column.
    """
    distinct = segments.select("segments").unique()
    parts = pl.col("segments").str.split(SEPARATOR)
    everybody = distinct.with_columns(dimension=pl.lit(ALL), segment=pl.lit(ALL))
    single = [
        distinct.with_columns(dimension=pl.lit(name), segment=parts.list.get(place))
        for place, name in enumerate(names)
    ]
    return pl.concat([everybody, *single])
