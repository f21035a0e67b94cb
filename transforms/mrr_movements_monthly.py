"""Monthly recurring revenue by month: what it opened and closed with, and what moved it."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from transforms.calendar import MONTH, period_end
from transforms.customer_dimensions import CELL, by_segment, customer_dimensions, every_month
from transforms.division import ratio
from transforms.money import MONEY, total

_MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn")
_MOVED = [f"{name}_mrr_amount" for name in _MOVEMENTS]


def mrr_movements_monthly(
    customer_months: pl.LazyFrame, *, dimensions: Sequence[str], data_through: date
) -> pl.LazyFrame:
    """Every month of every segment, from its first to the running one, which is as of its day.

    The sums of ``customer_months`` per movement. Revenue churn is gross: customers who left and
    customers who pay less, as in the tools of the field.
    """
    change, movement = pl.col("change_amount"), pl.col("movement")
    sums = [
        total(pl.col("opening_mrr_amount")).alias("opening_mrr_amount"),
        total(pl.col("mrr_amount")).alias("closing_mrr_amount"),
        *(total(change.filter(movement == n)).alias(f"{n}_mrr_amount") for n in _MOVEMENTS),
    ]
    cells = by_segment(customer_months, customer_dimensions(dimensions), *sums)
    lost = -(pl.col("contraction_mrr_amount") + pl.col("churn_mrr_amount"))
    opening = pl.col("opening_mrr_amount")
    return (
        every_month(cells, data_through, *CELL[1:])
        .with_columns(lost_mrr_amount=lost.cast(MONEY))
        .with_columns(retained_mrr_amount=(opening - pl.col("lost_mrr_amount")).cast(MONEY))
        .with_columns(
            net_retained_mrr_amount=(
                pl.col("retained_mrr_amount") + pl.col("expansion_mrr_amount")
            ).cast(MONEY)
        )
        .select(
            *CELL,
            "opening_mrr_amount",
            *_MOVED,
            "closing_mrr_amount",
            "retained_mrr_amount",
            "net_retained_mrr_amount",
            "lost_mrr_amount",
            ratio("retained_mrr_amount", opening).alias("gross_revenue_retention_rate"),
            ratio("net_retained_mrr_amount", opening).alias("net_revenue_retention_rate"),
            ratio("lost_mrr_amount", opening).alias("revenue_churn_rate"),
            is_complete=period_end(pl.col("month"), MONTH) <= data_through,
        )
    )
