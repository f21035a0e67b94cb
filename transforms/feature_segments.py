"""Spine: since when each feature has been used, overall and in each segment."""

from collections.abc import Sequence

import polars as pl

from transforms.features import by_dimension, feature_rows

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
    known, names = feature_rows(feature_days, plan_months, dimensions)
    first_date = pl.col("first_date").min()
    days = known.group_by("feature", "segments").agg(first_date=pl.col("event_date").min()).cache()
    firsts = [part.group_by(_KEY).agg(first_date) for part in by_dimension(days, names)]
    new = pl.concat(firsts).join(feature_segments, on=_KEY, how="anti")
    return new.select(
        pl.col("first_date").dt.month_start().alias("first_month"), *_KEY, "first_date"
    )
