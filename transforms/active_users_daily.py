"""Active users by day, with their trailing windows."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL
from transforms.bits import DAYS_OF_MONTH, aligned, any_of, people_with, trailing, until
from transforms.calendar import DAY, dense_periods, first_day_of_all
from transforms.division import ratio
from transforms.paying import PAYING, PAYING_DIMENSIONS, by_day, paying_users
from transforms.plans import one_by_one

_SEGMENT = ["dimension", "segment"]
_WINDOWS = ("dau", "wau", "mau")
_HAS_CUSTOMERS = pl.col("dimension").is_in([ALL, *PAYING_DIMENSIONS])


def active_users_daily(
    user_months: pl.LazyFrame,
    users: pl.LazyFrame,
    segments: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    wau_window_days: int,
    mau_window_days: int,
    data_through: date,
) -> pl.LazyFrame:
    """Every day of every segment from its first day to ``data_through``.

    ``user_months`` holds the months before the first day as far as the windows reach, ``segments``
    all months. A person counts in every segment in which they were active in the window. Those who
    pay are counted by their own country and plan, wherever they were active.
    """
    windows = (1, wau_window_days, mau_window_days)
    active = pl.concat(
        _active(rows, windows, data_through) for rows in one_by_one(user_months, dimensions)
    )
    paying = paying_users(plan_months, user_months, mau_window_days, data_through)
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
        .join(paying, on=key, how="left")
        .with_columns(
            pl.col(counts).fill_null(0),
            *(pl.when(_HAS_CUSTOMERS).then(pl.col(name).fill_null(0)) for name in PAYING),
            days_in_window=_days_of_history(mau_window_days),
        )
        .select(
            *key,
            *_WINDOWS,
            "days_in_window",
            ratio("dau", "mau").alias("stickiness_ratio"),
            "new_users",
            (pl.col("dau") - pl.col("new_users")).alias("returning_users"),
            *PAYING,
            active_to_paying_ratio=ratio("dau", "paying_users"),
            mau_to_paying_ratio=ratio("mau", "paying_users"),
            paying_active_rate=ratio("active_paying_users", "paying_users"),
            paying_mau_rate=ratio("monthly_active_paying_users", "paying_users"),
            is_complete=pl.col("date") <= data_through,
        )
    )


def _days_of_history(window: int) -> pl.Expr:
    days = (pl.col("date") - pl.col("history_start")).dt.total_days() + 1
    return pl.min_horizontal(days, pl.lit(window, pl.Int64))


def _active(
    months: pl.LazyFrame, windows: tuple[int, int, int], data_through: date
) -> pl.LazyFrame:
    """People active on each day, and in the windows ending on it: date, segment, dau, wau, mau."""
    known = until(months, ["active_days"], data_through).rename({"active_days": "bits"})
    before = max(windows) - 1
    people = aligned(known, [*_SEGMENT, "user_id"], before=before).filter(
        pl.col("month") <= data_through
    )
    for name, window in zip(_WINDOWS, windows, strict=True):
        people = trailing(people, name, window)
    masks = [1 << (before + day - 1) for day in DAYS_OF_MONTH]
    sums = [
        count
        for name in _WINDOWS
        for count in people_with((any_of(pl.col(name), mask) for mask in masks), name)
    ]
    wide = people.group_by("month", *_SEGMENT).agg(sums)
    return by_day(wide, _SEGMENT, _WINDOWS)
