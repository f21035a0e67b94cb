"""What lifetime value counts of orders in each month."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL, UNKNOWN
from transforms.calendar import plus_days
from transforms.customer_dimensions import CELL
from transforms.money import total
from transforms.purchases import first_purchases

ORDER_DIMENSIONS = ("channel", "campaign")
BUYER_DIMENSIONS = ("country", "segment")
_SEGMENT = ["dimension", "segment"]


def buying_months(
    orders: pl.LazyFrame,
    customers: pl.LazyFrame,
    worth: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    days: int,
    data_through: date,
) -> pl.LazyFrame:
    """Orders, revenue, customers, new customers and their worth by month, dimension and segment.

    ``orders`` and ``customers`` are rows that count. A customer has a purchase in the ``days`` up
    to and with the month's end, or ``data_through``. Where nothing is known of any customer there
    is no breakdown by what customers are.
    """
    rows = _by_segment(orders, customers, dimensions)
    purchases = rows.filter(pl.col("kind") == "purchase")
    parts = [_revenue(rows), _orders(purchases), _present(purchases, days, data_through)]
    parts.append(_new(_by_segment(first_purchases(orders), customers, dimensions), worth))
    return (
        pl.concat(parts, how="diagonal")
        .group_by(CELL)
        .agg(
            pl.col("orders", "customers", "new_customers", "predicted_customers").sum(),
            total(pl.col("revenue_amount")),
            total(pl.col("predicted_total_amount")),
        )
    )


def _by_segment(
    orders: pl.LazyFrame, customers: pl.LazyFrame, dimensions: Sequence[str]
) -> pl.LazyFrame:
    """The rows of orders for everybody, and once more for each dimension that there is."""
    narrow = pl.exclude(*ORDER_DIMENSIONS)
    rows = [orders.select(narrow, dimension=pl.lit(ALL), segment=pl.lit(ALL))]
    known = customers.select("customer_id", *BUYER_DIMENSIONS)
    are_any = known.select(pl.len().alias("known")).filter(pl.col("known") > 0)
    for name in dict.fromkeys(dimensions):
        value = pl.col("value").fill_null(UNKNOWN)
        if name in ORDER_DIMENSIONS:
            valued = orders.with_columns(value=pl.col(name))
        elif name in BUYER_DIMENSIONS:
            of_customer = known.select("customer_id", value=name)
            valued = orders.join(are_any, how="cross").join(
                of_customer, on="customer_id", how="left"
            )
        else:
            continue
        rows.append(
            valued.select(narrow.exclude("value", "known"), dimension=pl.lit(name), segment=value)
        )
    return pl.concat(rows)


def _month(day: str = "event_date") -> pl.Expr:
    return pl.col(day).dt.month_start().alias("month")


def _revenue(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by(_month(), *_SEGMENT).agg(revenue_amount=total(pl.col("amount")))


def _orders(purchases: pl.LazyFrame) -> pl.LazyFrame:
    """An order counts in the month of its first line."""
    begun = purchases.group_by("order_id", *_SEGMENT).agg(pl.col("event_date").min())
    return begun.group_by(_month(), *_SEGMENT).agg(orders=pl.len().cast(pl.Int64))


def _present(purchases: pl.LazyFrame, days: int, through: date) -> pl.LazyFrame:
    """Customers at each month's end."""
    # Of a month only the last purchase can matter: every edge that sees another sees it too.
    last = purchases.group_by("customer_id", *_SEGMENT, month=_month()).agg(
        last_date=pl.col("event_date").max()
    )
    until = plus_days(pl.col("last_date"), days)
    edge = pl.min_horizontal(pl.col("month").dt.month_end(), pl.lit(through))
    months = pl.date_ranges(
        pl.col("month"), pl.min_horizontal(until, pl.lit(through)), interval="1mo"
    )
    return (
        last.with_columns(until=until, month=months)
        .explode("month")
        .filter(edge < pl.col("until"))
        .select("customer_id", *CELL)
        .unique()
        .group_by(CELL)
        .agg(customers=pl.len().cast(pl.Int64))
    )


def _new(firsts: pl.LazyFrame, worth: pl.LazyFrame) -> pl.LazyFrame:
    foretold = pl.col("worth").drop_nulls()
    return (
        firsts.join(worth, on="customer_id", how="left")
        .group_by(_month(), *_SEGMENT)
        .agg(
            new_customers=pl.len().cast(pl.Int64),
            predicted_customers=foretold.len().cast(pl.Int64),
            predicted_total_amount=total(foretold),
        )
    )
