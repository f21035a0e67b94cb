"""Customers won and lost by month, of shops without subscriptions."""

import polars as pl

from schemas.base import Table, column, table
from schemas.churn import CHURN_RULES, CHURN_WARNINGS, ChurnColumns


class _Month(Table):
    month: pl.Date = column("First day of the calendar month")


@table(
    grain="one row per calendar month",
    key=["month"],
    warnings=CHURN_WARNINGS,
    rules=CHURN_RULES,
)
class ChurnByInactivityMonthly(ChurnColumns, _Month):
    """A customer at an edge has a purchase in the churn_inactivity_days (90) up to and with it.

    Refunds are no purchases. Whoever bought only so long before every edge that none saw it was
    never a customer, and is new at the first edge that does.
    """
