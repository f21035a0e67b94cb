"""How long customers under contract have paid without a break, counted in months."""

from datetime import date

import polars as pl

from transforms.calendar import MONTH, periods_between


def last_whole_month(day: date) -> date:
    """First day of the last month that has ended on or before a day."""
    following = date.fromordinal(day.toordinal() + 1)
    year, month = divmod(following.year * 12 + following.month - 2, 12)
    return date(year, month + 1, 1)


def tenures(customer_months: pl.LazyFrame, last: date) -> pl.LazyFrame:
    """One row per stretch of months without a break at whose end a customer paid, up to ``last``.

    ``first_month``, ``last_month``: the first and the last of them; ``is_lost``: the next month's
    end, not after ``last``, found the customer not paying. Who comes back begins a new stretch.
    """
    month = pl.col("month")
    paying = customer_months.filter(pl.col("mrr_amount") > 0, month <= last)
    number = periods_between(pl.lit(date(1970, 1, 1)), month, MONTH)
    place = pl.int_range(pl.len()).over("customer_id", order_by="month")
    return (
        paying.select("customer_id", "month", stretch=number - place)
        .group_by("customer_id", "stretch")
        .agg(first_month=month.min(), last_month=month.max())
        .drop("stretch")
        .with_columns(is_lost=pl.col("last_month") < last)
    )


def renewals(last: str | pl.Expr) -> pl.Expr:
    """Renewals that a stretch has passed: its months but the first."""
    until = pl.col(last) if isinstance(last, str) else last
    return periods_between(pl.col("first_month"), until, MONTH)
