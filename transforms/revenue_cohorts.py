"""What is left of the customers and the MRR that each month won."""

from datetime import date

import polars as pl

from transforms.calendar import MONTH, period_end, periods_between
from transforms.customer_dimensions import every_month
from transforms.division import ratio
from transforms.money import total

_COHORT = "cohort_month"


def revenue_cohorts(customer_months: pl.LazyFrame, *, data_through: date) -> pl.LazyFrame:
    """Each month of each cohort, from its own to the running one, which is as of its day.

    The cohort is the first month at whose end a customer pays, the one in which they are new.
    """
    paying = customer_months.filter(pl.col("mrr_amount") > 0)
    entered = paying.filter(pl.col("movement") == "new")
    first = entered.select("customer_id", cohort_month="month")
    cells = (
        paying.join(first, on="customer_id")
        .group_by(_COHORT, "month")
        .agg(
            customers=pl.len().cast(pl.Int64),
            mrr_amount=total(pl.col("mrr_amount")),
        )
    )
    sizes = entered.group_by(pl.col("month").alias(_COHORT)).agg(
        cohort_customers=pl.len().cast(pl.Int64),
        cohort_mrr_amount=total(pl.col("mrr_amount")),
    )
    return (
        every_month(cells, data_through, _COHORT)
        .join(sizes, on=_COHORT)
        .select(
            _COHORT,
            periods_between(pl.col(_COHORT), pl.col("month"), MONTH).alias("period_index"),
            "cohort_customers",
            "customers",
            ratio("customers", "cohort_customers").alias("customer_retention_rate"),
            "cohort_mrr_amount",
            "mrr_amount",
            ratio("mrr_amount", "cohort_mrr_amount").alias("mrr_retention_rate"),
            is_complete=period_end(pl.col("month"), MONTH) <= data_through,
        )
    )
