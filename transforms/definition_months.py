"""Spine: the days of a month with start and return events of the retention definitions, as bits."""

from collections.abc import Sequence

import polars as pl

from transforms.segmentation import by_dimension, event_dimensions, of_everybody

_KEY = ["month", "definition", "dimension", "segment", "user_id"]


def definition_months(definition_days: pl.LazyFrame, *, dimensions: Sequence[str]) -> pl.LazyFrame:
    """One row per month, definition, dimension, segment and person; bit 0 is the month's first day.

    The row for everybody holds all start and return days. A segment's row holds the start days
    whose first start event was in the segment, and no return days: returns count in any segment.
    """
    bit = pl.lit(2, pl.Int64).pow(pl.col("event_date").dt.day() - 1)
    days = definition_days.select(
        "definition",
        "user_id",
        "segments",
        month=pl.col("event_date").dt.month_start(),
        start_days=pl.when("is_start").then(bit).otherwise(0),
        return_days=pl.when("is_return").then(bit).otherwise(0),
    )
    starts = days.filter(pl.col("segments").is_not_null()).with_columns(
        return_days=pl.lit(0, pl.Int64)
    )
    parts = [of_everybody(days), *by_dimension(starts, event_dimensions(dimensions))]
    return (
        pl.concat(part.select(*_KEY, "start_days", "return_days") for part in parts)
        .group_by(_KEY)
        .agg(pl.col("start_days", "return_days").bitwise_or())
    )
