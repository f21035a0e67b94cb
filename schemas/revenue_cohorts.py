"""What is left of the customers and the MRR that each month won."""

import polars as pl

from schemas.base import Money, Table, column, count, money, share, table


@table(
    grain="one row per month of first payment and month since then",
    key=["cohort_month", "period_index"],
    warnings=["Every row of a cohort repeats its size: never sum cohort columns over periods."],
    rules=[
        ("more customers than the cohort has", pl.col("customers") <= pl.col("cohort_customers"))
    ],
)
class RevenueCohorts(Table):
    """Cohorts of customers by the first month at whose end they paid, followed month by month.

    Whoever left and came back counts again in the months in which they pay.
    """

    cohort_month: pl.Date = column("First day of the month at whose end they first paid")
    period_index: pl.Int64 = column("Months since then; 0 is that month", unit="months", ge=0)
    cohort_customers: pl.Int64 = count(
        "Customers who first paid in the cohort's month", unit="customers"
    )
    customers: pl.Int64 = count("Those who pay at the end of the month", unit="customers")
    customer_retention_rate: pl.Float64 = share(
        "Share of the cohort's customers who pay", formula="customers / cohort_customers"
    )
    cohort_mrr_amount: Money = money("MRR of the cohort at the end of its first month", gt=0)
    mrr_amount: Money = money("MRR of the cohort at the month's end", ge=0)
    mrr_retention_rate: pl.Float64 = column(
        "MRR for one of the first month; above 1 where the cohort grew",
        unit="fraction",
        formula="mrr_amount / cohort_mrr_amount",
        nullable=True,
        ge=0.0,
    )
    is_complete: pl.Boolean = column("The month's last day is not after data_through")
