"""Active users by calendar week and month."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from transforms.bits import (
    WEEK_BITS,
    WEEKS_OF_MONTH,
    aligned,
    any_of,
    days_with,
    numbered,
    people_with,
    shift_right,
    spread,
    until,
)
from transforms.calendar import (
    MONTH,
    WEEK,
    days_to_week_start,
    dense_periods,
    first_day_of_all,
    period_end,
    week_of_month,
)
from transforms.division import ratio
from transforms.plans import one_by_one

_SEGMENT = ["dimension", "segment"]
_COUNTS = ["active_users", "active_user_days"]


def active_users_periodic(
    user_months: pl.LazyFrame,
    segments: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every week and month of every segment, from the one of its first day to the running one.

    A week is filed under the month in which it starts and may end in the next: ``user_months``
    goes one month further. ``active_user_days`` is the sum of the period's daily active users.
    """
    known = until(user_months, ["active_days"], data_through).rename({"active_days": "bits"})
    weeks = pl.concat(_weeks(rows, week_start) for rows in one_by_one(known, dimensions))
    parts = [
        _with_every_period(counts, grain, segments, week_start, data_through)
        for grain, counts in ((WEEK, weeks), (MONTH, _months(known)))
    ]
    return pl.concat(parts)


def _months(known: pl.LazyFrame) -> pl.LazyFrame:
    days = pl.col("bits").bitwise_count_ones().sum().cast(pl.Int64)
    return known.group_by(pl.col("month").alias("period_start"), *_SEGMENT).agg(
        active_users=pl.len().cast(pl.Int64), active_user_days=days
    )


def _weeks(known: pl.LazyFrame, week_start: str) -> pl.LazyFrame:
    first = days_to_week_start(pl.col("month"), week_start)
    people = aligned(known, [*_SEGMENT, "user_id"], after=6).with_columns(
        bits=shift_right(pl.col("bits"), first)
    )
    masks = [WEEK_BITS << 7 * week for week in WEEKS_OF_MONTH]
    wide = people.group_by("month", *_SEGMENT).agg(
        *people_with((any_of(pl.col("bits"), mask) for mask in masks), "users"),
        *days_with(pl.col("bits"), masks, "days"),
    )
    long = spread(
        wide,
        WEEKS_OF_MONTH,
        active_users=numbered("users", len(masks)),
        active_user_days=numbered("days", len(masks)),
    )
    return week_of_month(long, week_start).select("period_start", *_SEGMENT, *_COUNTS)


def _with_every_period(
    counts: pl.LazyFrame, grain: str, segments: pl.LazyFrame, week_start: str, data_through: date
) -> pl.LazyFrame:
    key = ["period_start", *_SEGMENT]
    last_day = period_end(pl.col("period_start"), grain)
    elapsed = _days_between(
        pl.max_horizontal("period_start", "history_start"),
        pl.min_horizontal(last_day, pl.lit(data_through)),
    )
    return (
        dense_periods(segments, grain, week_start=week_start, data_through=data_through)
        .join(first_day_of_all(segments, data_through), how="cross")
        .join(counts, on=key, how="left")
        .with_columns(pl.col(_COUNTS).fill_null(0), elapsed_days=elapsed)
        .with_columns(mean_dau=ratio("active_user_days", "elapsed_days"))
        .select(
            pl.lit(grain).alias("grain"),
            *key,
            *_COUNTS,
            "elapsed_days",
            "mean_dau",
            ratio("mean_dau", "active_users").alias("stickiness_ratio"),
            is_complete=last_day <= data_through,
        )
    )


def _days_between(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    return (last - first).dt.total_days() + 1
