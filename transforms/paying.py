"""People who pay for a subscription, day by day, and how many of them were active.

A person pays by their own country and plan; they count as active wherever they were.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL
from transforms.bits import (
    DAYS_OF_MONTH,
    aligned,
    any_of,
    numbered,
    people_with,
    shift_left,
    spread,
    trailing,
    until,
)
from transforms.calendar import plus_days
from transforms.recurring import NO_PLAN

PAYING = ("paying_users", "active_paying_users", "monthly_active_paying_users")
PAYING_DIMENSIONS = ("country", "plan")
_PERSON_MONTH = ["month", "user_id"]


def paying_users(
    plan_months: pl.LazyFrame, user_months: pl.LazyFrame, mau_window_days: int, data_through: date
) -> pl.LazyFrame:
    """date, dimension, segment and the counts of ``PAYING``, where somebody pays."""
    payers = until(plan_months.filter(pl.col("plan") != NO_PLAN), ["plan_days"], data_through)
    before = mau_window_days - 1
    paid = shift_left(pl.col("plan_days"), before)
    # The plans of a person have no day in common: adding up their rows counts people.
    days = payers.join(
        _activity(payers, user_months, before, data_through), on=_PERSON_MONTH, how="left"
    ).select(
        "month",
        pl.lit(ALL).alias(ALL),
        *PAYING_DIMENSIONS,
        paid.alias(PAYING[0]),
        (paid & pl.col("bits").fill_null(0)).alias(PAYING[1]),
        (paid & pl.col("window").fill_null(0)).alias(PAYING[2]),
    )
    masks = [1 << (before + day - 1) for day in DAYS_OF_MONTH]
    sums = [
        count
        for name in PAYING
        for count in people_with((any_of(pl.col(name), mask) for mask in masks), name)
    ]
    wide = pl.concat(
        days.group_by("month", pl.col(name).alias("segment"))
        .agg(sums)
        .with_columns(dimension=pl.lit(name))
        for name in (ALL, *PAYING_DIMENSIONS)
    )
    return by_day(wide, ["dimension", "segment"], PAYING)


def _activity(
    payers: pl.LazyFrame, user_months: pl.LazyFrame, before: int, data_through: date
) -> pl.LazyFrame:
    """Active days of those who pay, and whether the window that ends on each day holds one."""
    of_payers = user_months.filter(pl.col("dimension") == ALL).join(
        payers.select("user_id").unique(), on="user_id", how="semi"
    )
    known = until(of_payers, ["active_days"], data_through).rename({"active_days": "bits"})
    return trailing(aligned(known, ["user_id"], before=before), "window", before + 1)


def by_day(wide: pl.LazyFrame, keys: Sequence[str], names: Sequence[str]) -> pl.LazyFrame:
    """``date``, ``keys`` and a column per name, from months with one column per name and day."""
    lists = {name: numbered(name, len(DAYS_OF_MONTH)) for name in names}
    return (
        spread(wide, DAYS_OF_MONTH, **lists)
        .filter(pl.col("slot") <= pl.col("month").dt.days_in_month())
        .select(plus_days(pl.col("month"), pl.col("slot") - 1).alias("date"), *keys, *names)
    )
