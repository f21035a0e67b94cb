"""Use of features by day, week and month."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL, dtypes
from schemas.feature_usage import FeatureUsage
from transforms.calendar import GRAINS, period_start
from transforms.division import ratio
from transforms.plans import in_each_dimension

_SEGMENT = ["dimension", "segment"]
_KEY = ["grain", "period_start", "feature", *_SEGMENT]
_COUNTS = ["events", "feature_users"]


def feature_usage(
    feature_days: pl.LazyFrame,
    feature_segments: pl.LazyFrame,
    lifecycle: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every day, week and month of every feature and segment, from its first use to the horizon.

    ``lifecycle`` tells which periods there are, and how many were active in each. A week is filed
    under the month in which it starts: ``feature_days`` and ``plan_months`` go one month further,
    and so does ``feature_segments``, which holds all months before.
    """
    until = feature_days.filter(pl.col("event_date") <= data_through)
    counts = pl.concat(
        _counts(until, plan_months, dimensions, grain, week_start) for grain in GRAINS
    )
    firsts = feature_segments.filter(pl.col("first_date") <= data_through)
    return (
        _cells(firsts, lifecycle, week_start)
        .join(counts, on=_KEY, how="left")
        .with_columns(pl.col(_COUNTS).fill_null(0))
        .with_columns(adoption_rate=ratio("feature_users", "active_users"))
        .select(list(dtypes(FeatureUsage)))
    )


def _cells(firsts: pl.LazyFrame, lifecycle: pl.LazyFrame, week_start: str) -> pl.LazyFrame:
    """Every period of each feature and segment, with its audience and ``first_seen_date``."""
    ever = firsts.filter(pl.col("dimension") == ALL).select("feature", first_seen_date="first_date")
    begun = pl.concat(
        firsts.select(
            pl.lit(grain).alias("grain"),
            "feature",
            *_SEGMENT,
            first_period=period_start(pl.col("first_date"), grain, week_start),
        )
        for grain in GRAINS
    )
    audience = lifecycle.select("grain", "period_start", *_SEGMENT, "active_users", "is_complete")
    return (
        audience.join(begun, on=["grain", *_SEGMENT])
        .filter(pl.col("period_start") >= pl.col("first_period"))
        .join(ever, on="feature")
    )


def _counts(
    used: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    dimensions: Sequence[str],
    grain: str,
    week_start: str,
) -> pl.LazyFrame:
    """Events and people of each period, feature and segment that has any."""
    start = period_start(pl.col("event_date"), grain, week_start)
    dated = used.with_columns(period_start=start)
    people = (
        dated.group_by("period_start", "feature", "segments", "user_id")
        .agg(pl.col("events").sum())
        .cache()
    )
    parts = in_each_dimension(dated, plan_months, dimensions, grouped=people, day="event_date")
    counts = [
        part.group_by("period_start", "feature", *_SEGMENT).agg(
            pl.col("events").sum(), feature_users=pl.col("user_id").n_unique().cast(pl.Int64)
        )
        for part in parts
    ]
    return pl.concat(counts).with_columns(grain=pl.lit(grain))
