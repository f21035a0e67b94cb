"""Monthly recurring revenue by month: what it opened and closed with, and what moved it."""

import polars as pl

from schemas.base import Money, Table, column, money, share, table

_ALL = ("new", "reactivation", "expansion", "contraction", "churn")
_MOVEMENTS = [f"{name}_mrr_amount" for name in _ALL]


@table(
    grain="one row per calendar month, dimension and segment",
    key=["month", "dimension", "segment"],
    warnings=[
        "Opening and closing MRR are states: never sum them over months.",
        "A month that is not complete shows what there is on data_through.",
    ],
    rules=[
        (
            "closing_mrr_amount is not opening_mrr_amount + all movements",
            pl.col("closing_mrr_amount") == pl.sum_horizontal("opening_mrr_amount", *_MOVEMENTS),
        ),
        (
            "retained_mrr_amount and lost_mrr_amount are not opening_mrr_amount",
            pl.col("opening_mrr_amount")
            == pl.sum_horizontal("retained_mrr_amount", "lost_mrr_amount"),
        ),
    ],
)
class MrrMovementsMonthly(Table):
    """Movements are told apart per customer, over all their subscriptions, at the month's ends.

    A customer counts in the segment of the opening edge, else in that of the closing one: the
    closing of a segment need not be the opening of its next month.
    """

    month: pl.Date = column("First day of the calendar month")
    dimension: pl.String = column("Dimension of customers, or all")
    segment: pl.String = column("Value of the dimension, or all")
    opening_mrr_amount: Money = money("MRR at the end of the month before", ge=0)
    new_mrr_amount: Money = money("MRR of customers who pay for the first time", ge=0)
    reactivation_mrr_amount: Money = money(
        "MRR of customers who pay again after they had left", ge=0
    )
    expansion_mrr_amount: Money = money("What customers pay more than at the opening", ge=0)
    contraction_mrr_amount: Money = money(
        "What customers who stayed pay less than at the opening, as a negative amount", le=0
    )
    churn_mrr_amount: Money = money(
        "What customers who left paid at the opening, as a negative amount", le=0
    )
    closing_mrr_amount: Money = money(
        "MRR at the month's end, or at data_through if that is earlier",
        formula="opening + new + reactivation + expansion + contraction + churn",
        ge=0,
    )
    retained_mrr_amount: Money = money(
        "What is left of the opening MRR, without what was gained",
        formula="opening_mrr_amount + contraction_mrr_amount + churn_mrr_amount",
        ge=0,
    )
    net_retained_mrr_amount: Money = money(
        "What the customers of the opening pay at the close",
        formula="retained_mrr_amount + expansion_mrr_amount",
        ge=0,
    )
    lost_mrr_amount: Money = money(
        "What is lost of the opening MRR", formula="-(contraction + churn)", ge=0
    )
    gross_revenue_retention_rate: pl.Float64 = share(
        "Share of the opening MRR that is left, whatever was gained; never above 1",
        formula="retained_mrr_amount / opening_mrr_amount",
    )
    net_revenue_retention_rate: pl.Float64 = column(
        "The same with expansion; above 1 where customers grew by more than was lost",
        unit="fraction",
        formula="net_retained_mrr_amount / opening_mrr_amount",
        nullable=True,
        ge=0.0,
    )
    revenue_churn_rate: pl.Float64 = share(
        "Share of the opening MRR that is lost, by customers who left and by those who pay less",
        formula="lost_mrr_amount / opening_mrr_amount",
    )
    is_complete: pl.Boolean = column("The month's last day is not after data_through")
