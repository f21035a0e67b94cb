"""Customers won and lost by month, of subscriptions."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from transforms.churning import edge_counts, with_churn_rates
from transforms.customer_dimensions import CELL, by_segment, customer_dimensions, every_month


def churn_monthly(
    customer_months: pl.LazyFrame, *, dimensions: Sequence[str], data_through: date
) -> pl.LazyFrame:
    """Every month of every segment, from its first to the running one, which is as of its day.

    A customer pays: their MRR is above zero. new, reactivated and lost are the movements of
    ``customer_months``.
    """
    opening, closing = pl.col("opening_mrr_amount") > 0, pl.col("mrr_amount") > 0
    counts = edge_counts(opening, closing, pl.col("movement") == "new")
    cells = by_segment(customer_months, customer_dimensions(dimensions), *counts)
    every = every_month(cells, data_through, *CELL[1:])
    return with_churn_rates(every, data_through, CELL)
