"""What each customer pays at the end of each month, and how that changed."""

import polars as pl

from schemas.base import Money, Table, column, money, table

_NOW = "As known now: it follows the customer, and is no restatement."
MOVEMENTS = ("new", "expansion", "contraction", "churn", "reactivation", "none")


@table(
    grain="one row per customer and month at whose start or end the customer pays",
    key=["customer_id", "month"],
    order=["month", "customer_id"],
    slice_by="month",
    warnings=["mrr_amount is a state at the month's end: sum change_amount over months, not it."],
    rules=[
        (
            "mrr_amount is not opening_mrr_amount + change_amount",
            pl.col("mrr_amount") == pl.col("opening_mrr_amount") + pl.col("change_amount"),
        ),
        (
            "nothing is paid at either end",
            (pl.col("mrr_amount") > 0) | (pl.col("opening_mrr_amount") > 0),
        ),
    ],
)
class CustomerMonths(Table):
    """Customers are judged at the ends of months: who starts and ends within one has no row.

    A row with zero MRR is that of the month in which the customer left; there is none after it
    until they come back. The month that holds data_through shows its state on that day.
    """

    customer_id: pl.String = column("Customer of the subscriptions")
    month: pl.Date = column("First day of the calendar month")
    opening_mrr_amount: Money = money("MRR at the end of the month before", ge=0)
    mrr_amount: Money = money("MRR at the month's end, or at data_through if that is earlier", ge=0)
    change_amount: Money = money(
        "What the MRR grew by; negative where it shrank", formula="mrr_amount - opening_mrr_amount"
    )
    movement: pl.String = column(
        "new: pays for the first time at a month's end; reactivation: pays again; churn: pays no "
        "more; expansion, contraction: pays more, less; none: pays the same",
        isin=list(MOVEMENTS),
    )
    opening_plan: pl.String = column("Plan that bore most MRR at the opening, by name; else none")
    plan: pl.String = column("Plan that bears most MRR at the month's end, by name; else none")
    country: pl.String = column("Country of the customer, or unknown", warning=_NOW)
    segment: pl.String = column(
        "Segment that the company gives the customer, or unknown", warning=_NOW
    )
    is_complete: pl.Boolean = column("The month's last day is not after data_through")
