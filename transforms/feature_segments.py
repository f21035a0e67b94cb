"""Spine: since when each feature has been used, overall and in each segment."""

from collections.abc import Sequence

import polars as pl

from transforms.plans import in_each_dimension

_KEY = ["feature", "dimension", "segment"]


def feature_segments(
    feature_days: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    feature_segments: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
) -> pl.LazyFrame:
    """Features first used in a segment in the months handed in, with the day of it.

    ``feature_segments`` are this table's own rows of all earlier months.
    """
    first_date = pl.col("event_date").min().alias("first_date")
    days = feature_days.group_by("feature", "segments").agg(pl.col("event_date").min()).cache()
    parts = in_each_dimension(feature_days, plan_months, dimensions, grouped=days, day="event_date")
    firsts = [part.group_by(_KEY).agg(first_date) for part in parts]
    new = pl.concat(firsts).join(feature_segments, on=_KEY, how="anti")
    return new.select(
        pl.col("first_date").dt.month_start().alias("first_month"), *_KEY, "first_date"
    )
