"""On how many days of a week or month people were active."""

from datetime import date

import polars as pl

from schemas.base import ALL
from transforms.bits import WEEK_BITS, WEEKS_OF_MONTH, aligned, shift_right, spread, until
from transforms.calendar import MONTH, WEEK, days_to_week_start, period_end, week_of_month


def active_days_histogram(
    user_months: pl.LazyFrame, *, week_start: str, data_through: date
) -> pl.LazyFrame:
    """Users by their number of active days, for every number of days that occurs.

    A week is filed under the month in which it starts and may end in the next: ``user_months``
    goes one month further.
    """
    everybody = user_months.filter(pl.col("dimension") == ALL)
    known = until(everybody, ["active_days"], data_through).select(
        "month", "user_id", bits="active_days"
    )
    parts = [
        days.filter(pl.col("active_days") > 0)
        .group_by("period_start", "active_days")
        .agg(users=pl.len().cast(pl.Int64))
        .select(
            pl.lit(grain).alias("grain"),
            "period_start",
            "active_days",
            "users",
            is_complete=period_end(pl.col("period_start"), grain) <= data_through,
        )
        for grain, days in ((WEEK, _days_of_weeks(known, week_start)), (MONTH, _days(known)))
    ]
    return pl.concat(parts)


def _days(known: pl.LazyFrame) -> pl.LazyFrame:
    return known.select(period_start="month", active_days=_count(pl.col("bits")))


def _days_of_weeks(known: pl.LazyFrame, week_start: str) -> pl.LazyFrame:
    first = days_to_week_start(pl.col("month"), week_start)
    from_first_week = shift_right(pl.col("bits"), first)
    names = [f"week{week}" for week in WEEKS_OF_MONTH]
    wide = aligned(known, ["user_id"], after=6).select(
        "month",
        *(
            _count(from_first_week & (WEEK_BITS << 7 * week)).alias(name)
            for week, name in zip(WEEKS_OF_MONTH, names, strict=True)
        ),
    )
    return week_of_month(spread(wide, WEEKS_OF_MONTH, active_days=names), week_start)


def _count(bits: pl.Expr) -> pl.Expr:
    return bits.bitwise_count_ones().cast(pl.Int64)
