"""What new people do in their first seven days."""

from datetime import date

import polars as pl

from schemas.base import ALL
from transforms.bits import WEEK_BITS, aligned, any_of, shift_right, until
from transforms.calendar import DAY, dense_periods, plus_days
from transforms.division import ratio

_DAYS_AFTER_THE_FIRST = WEEK_BITS - 1
_COUNTS = ["cohort_users", "returned_users", "active_user_days", "key_feature_users"]


def first_week_engagement(
    user_months: pl.LazyFrame,
    users: pl.LazyFrame,
    segments: pl.LazyFrame,
    *,
    data_through: date,
) -> pl.LazyFrame:
    """Every day from the first of history to ``data_through``, with the people new on it.

    The first week is day 0, the first active day, to day 6; ``user_months`` therefore goes one
    month further. A week that has not ended shows what there is so far.
    """
    people = _first_weeks(user_months, users, data_through)
    week, key_days = pl.col("week"), pl.col("key_feature_week")
    counts = people.group_by(pl.col("first_date").alias("cohort_date")).agg(
        cohort_users=pl.len().cast(pl.Int64),
        returned_users=any_of(week, _DAYS_AFTER_THE_FIRST).sum().cast(pl.Int64),
        active_user_days=week.bitwise_count_ones().sum().cast(pl.Int64),
        key_feature_users=(key_days != 0).sum().cast(pl.Int64),
    )
    everybody = segments.filter(pl.col("dimension") == ALL)
    days = dense_periods(everybody, DAY, week_start="monday", data_through=data_through)
    dropped = pl.col("cohort_users") - pl.col("returned_users")
    return (
        days.select(cohort_date="period_start")
        .join(counts, on="cohort_date", how="left")
        .with_columns(pl.col(_COUNTS).fill_null(0))
        .with_columns(dropped_users=dropped)
        .select(
            "cohort_date",
            "cohort_users",
            "returned_users",
            "dropped_users",
            ratio("dropped_users", "cohort_users").alias("dropout_rate"),
            "active_user_days",
            ratio("active_user_days", "cohort_users").alias("mean_active_days"),
            "key_feature_users",
            ratio("key_feature_users", "cohort_users").alias("key_feature_rate"),
            is_complete=plus_days(pl.col("cohort_date"), 6) <= data_through,
        )
    )


def _first_weeks(
    user_months: pl.LazyFrame, users: pl.LazyFrame, data_through: date
) -> pl.LazyFrame:
    """Each new person's first seven days as bits: of activity, and of key features."""
    columns = ["active_days", "key_feature_days"]
    people = users.filter(pl.col("dimension") == ALL, pl.col("first_date") <= data_through).select(
        "user_id", "first_date", month="first_month"
    )
    everybody = user_months.filter(pl.col("dimension") == ALL)
    known = until(everybody, columns, data_through).join(people, on="user_id", how="semi")
    days_since = pl.col("first_date").dt.day().cast(pl.Int32) - 1
    for column, name in zip(columns, ("week", "key_feature_week"), strict=True):
        bits = aligned(known.select("month", "user_id", bits=column), ["user_id"], after=6)
        week = shift_right(pl.col("bits"), days_since) & WEEK_BITS
        people = (
            people.join(bits, on=["month", "user_id"], how="left")
            .with_columns(week.fill_null(0).alias(name))
            .drop("bits")
        )
    return people
