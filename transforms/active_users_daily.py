"""Active users by day, with their trailing windows."""

from datetime import date

import polars as pl

from transforms.bits import (
    DAYS_OF_MONTH,
    aligned,
    any_of,
    numbered,
    people_with,
    spread,
    trailing,
    until,
)
from transforms.calendar import DAY, dense_periods, first_day_of_all, plus_days
from transforms.division import ratio

_SEGMENT = ["dimension", "segment"]
_WINDOWS = ("dau", "wau", "mau")


def active_users_daily(
    user_months: pl.LazyFrame,
    users: pl.LazyFrame,
    segments: pl.LazyFrame,
    *,
    wau_window_days: int,
    mau_window_days: int,
    data_through: date,
) -> pl.LazyFrame:
    """Every day of every segment from its first day to ``data_through``.

    ``user_months`` holds the months before the first day as far as the windows reach, ``segments``
    all months. A person counts in every segment in which they were active in the window.
    """
    active = _active(user_months, wau_window_days, mau_window_days, data_through)
    new = users.group_by(pl.col("first_date").alias("date"), *_SEGMENT).agg(
        new_users=pl.len().cast(pl.Int64)
    )
    days = dense_periods(segments, DAY, week_start="monday", data_through=data_through)
    key = ["date", *_SEGMENT]
    counts = [*_WINDOWS, "new_users"]
    return (
        days.rename({"period_start": "date"})
        .join(first_day_of_all(segments, data_through), how="cross")
        .join(active, on=key, how="left")
        .join(new, on=key, how="left")
        .with_columns(
            pl.col(counts).fill_null(0),
            days_in_window=_days_of_history(mau_window_days),
        )
        .select(
            *key,
            *_WINDOWS,
            "days_in_window",
            ratio("dau", "mau").alias("stickiness_ratio"),
            "new_users",
            returning_users=pl.col("dau") - pl.col("new_users"),
        )
    )


def _days_of_history(window: int) -> pl.Expr:
    days = (pl.col("date") - pl.col("history_start")).dt.total_days() + 1
    return pl.min_horizontal(days, pl.lit(window, pl.Int64))


def _active(months: pl.LazyFrame, wau: int, mau: int, data_through: date) -> pl.LazyFrame:
    """People active on each day, and in the windows ending on it: date, segment, dau, wau, mau."""
    known = until(months, ["active_days"], data_through).rename({"active_days": "bits"})
    before = max(wau, mau) - 1
    people = aligned(known, [*_SEGMENT, "user_id"], before=before).filter(
        pl.col("month") <= data_through
    )
    for name, window in zip(_WINDOWS, (1, wau, mau), strict=True):
        people = trailing(people, name, window)
    masks = [1 << (before + day - 1) for day in DAYS_OF_MONTH]
    sums = [
        count
        for name in _WINDOWS
        for count in people_with((any_of(pl.col(name), mask) for mask in masks), name)
    ]
    wide = people.group_by("month", *_SEGMENT).agg(sums)
    lists = {name: numbered(name, len(masks)) for name in _WINDOWS}
    return (
        spread(wide, DAYS_OF_MONTH, **lists)
        .filter(pl.col("slot") <= pl.col("month").dt.days_in_month())
        .select(plus_days(pl.col("month"), pl.col("slot") - 1).alias("date"), *_SEGMENT, *_WINDOWS)
    )
