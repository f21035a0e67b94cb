"""Spine: the plan of each customer on each day of a month, as bits."""

from datetime import date

import polars as pl

from schemas.base import UNKNOWN
from transforms.fates import counted
from transforms.people import as_people
from transforms.recurring import NO_PLAN, by_month, stretches, with_bearing_plan

_PERSON_MONTH = ["user_id", "month"]
_ENDS = ("first", "stop")


def plan_months(
    subscriptions: pl.LazyFrame, customers: pl.LazyFrame, *, data_through: date
) -> pl.LazyFrame:
    """One row per month, person and plan, with the days on which it bears the person's MRR.

    The plan is the one with the largest MRR of all the person's subscriptions, then by name. From
    the first day with MRR on, days without any are those of the plan ``none``: every month then
    has a row. Months end with that of ``data_through``, which is laid out whole.
    """
    paid = as_people(stretches(subscriptions), customers)
    firsts = paid.group_by("user_id").agg(pl.col("from_date").min())
    bearing = _bearing(_days_of_month(paid, data_through))
    since_first = firsts.with_columns(until_date=pl.lit(None, pl.Date))
    known = _days_of_month(since_first, data_through).select(
        *_PERSON_MONTH, known_days=_days("first", "stop")
    )
    covered = bearing.group_by(_PERSON_MONTH).agg(pl.col("plan_days").sum().alias("covered"))
    without = (
        known.join(covered, on=_PERSON_MONTH, how="left")
        .select(
            *_PERSON_MONTH,
            plan=pl.lit(NO_PLAN),
            plan_days=pl.col("known_days") - pl.col("covered").fill_null(0),
        )
        .filter(pl.col("plan_days") != 0)
    )
    return (
        pl.concat([bearing, without])
        .join(_countries(customers), on="user_id", how="left")
        .select("month", "user_id", "plan", pl.col("country").fill_null(UNKNOWN), "plan_days")
    )


def _countries(customers: pl.LazyFrame) -> pl.LazyFrame:
    """Each person's country: that of their first customer by id, where several are one person."""
    country = pl.col("country").sort_by("customer_id").first()
    return counted(customers).group_by("user_id").agg(country)


def _days_of_month(rows: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """The rows by month, with ``first`` and ``stop``: days of the month, the latter excluded."""
    month, after = pl.col("month"), pl.col("month").dt.month_end().dt.offset_by("1d")
    first = pl.max_horizontal("from_date", month)
    stop = pl.min_horizontal("until_date", after)
    return by_month(rows, data_through).with_columns(
        first=(first - month).dt.total_days(), stop=(stop - month).dt.total_days()
    )


def _days(first: str, stop: str) -> pl.Expr:
    """The bits from ``first`` to before ``stop``."""
    two = pl.lit(2, pl.Int64)
    return two.pow(pl.col(stop)) - two.pow(pl.col(first))


def _bearing(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The days of each plan in each month of a person."""
    # Nearly all months have one stretch, and need no look at who bears more.
    counted_rows = rows.with_columns(stretches=pl.len().over(_PERSON_MONTH)).cache()
    alone = counted_rows.filter(pl.col("stretches") == 1)
    columns = [*_PERSON_MONTH, "plan", "plan_days"]
    single = alone.with_columns(plan_days=_days("first", "stop")).select(columns)
    return pl.concat([single, _cut(counted_rows.filter(pl.col("stretches") > 1)).select(columns)])


def _cut(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The same, cut wherever a stretch of the person begins or ends in the month."""
    cut = [*_PERSON_MONTH, "cut"]
    cuts = pl.concat(rows.select(*_PERSON_MONTH, pl.col(end).alias("cut")) for end in _ENDS)
    following = pl.col("cut").shift(-1).over(_PERSON_MONTH, order_by="cut")
    pieces = (
        cuts.unique()
        .with_columns(next_cut=following)
        .drop_nulls("next_cut")
        .join(rows, on=_PERSON_MONTH)
        .filter(pl.col("first") <= pl.col("cut"), pl.col("stop") > pl.col("cut"))
    )
    return (
        with_bearing_plan(pieces, [*cut, "next_cut"])
        .group_by(*_PERSON_MONTH, "plan")
        .agg(plan_days=_days("cut", "next_cut").sum())
    )
