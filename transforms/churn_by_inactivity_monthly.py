"""Customers won and lost by month, of shops without subscriptions."""

from datetime import date

import polars as pl

from transforms.calendar import plus_days
from transforms.churning import edge_counts, with_churn_rates
from transforms.customer_dimensions import every_month
from transforms.fates import counted


def churn_by_inactivity_monthly(
    orders: pl.LazyFrame, *, churn_inactivity_days: int, data_through: date
) -> pl.LazyFrame:
    """Every month from the first with a customer at its end to the running one, as of its day.

    A customer at an edge, the last day of a month, has a purchase in the ``churn_inactivity_days``
    up to and with it. New is whoever is a customer at an edge for the first time. Groups the
    purchases by customer and month.
    """
    present = _customers_at_edges(orders, churn_inactivity_days, data_through)
    next_month = pl.col("month").dt.offset_by("1mo")
    opening = present.select("customer_id", next_month, is_opening=pl.lit(True))
    first = pl.col("month") == pl.col("month").min().over("customer_id")
    states = (
        present.with_columns(is_closing=pl.lit(True), is_first=first)
        .join(
            opening.filter(pl.col("month") <= data_through),
            on=["customer_id", "month"],
            how="full",
            coalesce=True,
        )
        .with_columns(pl.col("is_opening", "is_closing", "is_first").fill_null(False))
    )
    columns = (pl.col(name) for name in ("is_opening", "is_closing", "is_first"))
    cells = states.group_by("month").agg(edge_counts(*columns))
    return with_churn_rates(every_month(cells, data_through), data_through, ["month"])


def _customers_at_edges(orders: pl.LazyFrame, days: int, data_through: date) -> pl.LazyFrame:
    """customer_id and month, once for each edge at which somebody is a customer."""
    bought, month = pl.col("event_date"), pl.col("month")
    # Of a month only the last purchase can matter: every edge that sees another sees it too.
    last = (
        counted(orders)
        .filter(pl.col("kind") == "purchase", bought <= data_through)
        .group_by("customer_id", bought.dt.month_start())
        .agg(bought.max().alias("bought"))
    )
    until = plus_days(pl.col("bought"), days)
    edge = pl.min_horizontal(month.dt.month_end(), pl.lit(data_through))
    months = pl.date_ranges(
        pl.col("event_date"), pl.min_horizontal(until, pl.lit(data_through)), "1mo"
    )
    return (
        last.with_columns(until=until, month=months)
        .explode("month")
        .filter(edge < pl.col("until"))
        .select("customer_id", "month")
        .unique()
    )
