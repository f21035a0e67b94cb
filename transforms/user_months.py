"""Spine: the days of a month on which a person was active, as bits."""

from collections.abc import Sequence

import polars as pl

from schemas.base import ALL
from transforms.segmentation import event_dimensions, split

_BITS = ["active_days", "first_days", "key_feature_days"]


def user_months(user_days: pl.LazyFrame, *, dimensions: Sequence[str]) -> pl.LazyFrame:
    """One row per month, dimension, segment and person, with the month's days as bits.

    Bit 0 is the first day of the month. ``first_days`` are the days whose first active event fell
    into the segment, ``key_feature_days`` those on which a key feature was used in it. Groups by
    person: a month's active people must fit into memory.
    """
    names = event_dimensions(dimensions)
    combinations = _bits_by_combination(user_days).cache()
    parts = split(combinations, names)
    return pl.concat(
        [_bits_by_segment(combinations, parts, dimension) for dimension in (ALL, *names)]
    )


def _bits_by_segment(
    combinations: pl.LazyFrame, parts: pl.LazyFrame, dimension: str
) -> pl.LazyFrame:
    """The bits per month, person and segment of one dimension."""
    segment_of = parts.filter(pl.col("dimension") == dimension).select("segments", "segment")
    # One dimension at a time: a group-by over all of them at once takes half as long again.
    return (
        combinations.join(segment_of, on="segments")
        .group_by("month", "segment", "user_id")
        .agg(pl.col(_BITS).bitwise_or())
        .select("month", pl.lit(dimension).alias("dimension"), "segment", "user_id", *_BITS)
    )


def _bits_by_combination(user_days: pl.LazyFrame) -> pl.LazyFrame:
    """The bits per month, person and combination, of which a day has one row: sums are ORs."""
    bit = pl.lit(2, pl.Int64).pow(pl.col("event_date").dt.day() - 1)
    return (
        user_days.select(
            "user_id",
            "segments",
            pl.col("event_date").dt.month_start().alias("month"),
            active_days=bit,
            first_days=pl.when("is_first").then(bit).otherwise(0),
            key_feature_days=pl.when(pl.col("key_feature_events") > 0).then(bit).otherwise(0),
        )
        .group_by("month", "user_id", "segments")
        .agg(pl.col(_BITS).sum())
    )
