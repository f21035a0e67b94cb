"""Customers won and lost by month, of subscriptions."""

import polars as pl

from schemas.base import Table, column, table
from schemas.churn import CHURN_RULES, CHURN_WARNINGS, ChurnColumns


class _Cell(Table):
    month: pl.Date = column("First day of the calendar month")
    dimension: pl.String = column("Dimension of customers, or all")
    segment: pl.String = column("Value of the dimension, or all")


@table(
    grain="one row per calendar month, dimension and segment",
    key=["month", "dimension", "segment"],
    warnings=CHURN_WARNINGS,
    rules=CHURN_RULES,
)
class ChurnMonthly(ChurnColumns, _Cell):
    """A customer is one whose MRR is above zero. Judged at the ends of months.

    A customer counts in the segment of the opening edge, else in that of the closing one: the
    customers_end of a segment need not be the customers_start of its next month.
    """
