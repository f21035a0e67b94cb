"""What must hold between the tables of subscriptions."""

import polars as pl

from pipelines.checks.check import Check, Find, Tables, apart
from schemas.base import ALL


def _broken_chain(table: str, opening: str, closing: str) -> Find:
    """Months that do not open with what the month before closed with."""

    def find(tables: Tables) -> pl.LazyFrame:
        months = tables[table].filter(dimension=ALL).select("month", opening, closing)
        before = months.select(pl.col("month").dt.offset_by("1mo"), before=closing)
        return months.join(before, on="month").filter(pl.col(opening) != pl.col("before"))

    return find


def _differing_mrr(tables: Tables) -> pl.LazyFrame:
    """What customers bear at a month's end against the closing of the movements."""
    customers = tables["customer_months"].group_by("month").agg(pl.col("mrr_amount").sum())
    closing = tables["mrr_movements_monthly"].filter(dimension=ALL)
    joined = closing.select("month", "closing_mrr_amount").join(
        customers, on="month", how="full", coalesce=True
    )
    return apart(joined, "closing_mrr_amount", "mrr_amount")


def _differing_customers(tables: Tables) -> pl.LazyFrame:
    """Customers that bear MRR at a month's end against those that churn_monthly ends with."""
    paying = tables["customer_months"].filter(pl.col("mrr_amount") > 0)
    payers = paying.group_by("month").agg(paying=pl.len().cast(pl.Int64))
    ends = tables["churn_monthly"].filter(dimension=ALL).select("month", "customers_end")
    joined = ends.join(payers, on="month", how="full", coalesce=True)
    return apart(joined, "customers_end", "paying")


REVENUE_CHECKS = (
    Check(
        "mrr_opens_as_it_closed",
        "mrr_movements_monthly",
        (),
        "A month's opening MRR is the closing of the month before.",
        _broken_chain("mrr_movements_monthly", "opening_mrr_amount", "closing_mrr_amount"),
    ),
    Check(
        "mrr_is_that_of_the_customers",
        "mrr_movements_monthly",
        ("customer_months",),
        "A month's closing MRR is the sum of its customers'.",
        _differing_mrr,
    ),
    Check(
        "customers_start_as_they_ended",
        "churn_monthly",
        (),
        "The customers at a month's start are those at the end of the month before.",
        _broken_chain("churn_monthly", "customers_start", "customers_end"),
    ),
    Check(
        "customers_are_those_who_pay",
        "churn_monthly",
        ("customer_months",),
        "The customers at a month's end are those with MRR.",
        _differing_customers,
    ),
)
