"""The models behind churn risk: their weights, and how well they foretold."""

from typing import Any

import polars as pl

from schemas.base import Table, column, count, share, table

MODELS = ("subscriptions", "orders")


def _weight(what: str) -> Any:
    return column(
        f"Weight of {what}; null where the model has no such feature or no weights", nullable=True
    )


def _mark(what: str, **limits: Any) -> Any:
    return column(what, nullable=True, **limits)


@table(
    grain="one row per model",
    key=["model", "as_of"],
    warnings=[
        "Everything moves with data_through: the model is fitted and judged anew each night.",
        "The fit sees nothing after judged_date, and is judged by what came after it.",
    ],
    rules=[
        (
            "more customers churned than there were",
            (pl.col("churned_customers") <= pl.col("customers"))
            & (pl.col("judged_churned_customers") <= pl.col("judged_customers")),
        ),
        (
            "a model is used that was not fitted, or has no weights though it was",
            (pl.col("is_fitted") | ~pl.col("is_used"))
            & (pl.col("is_fitted") == pl.col("intercept").is_not_null()),
        ),
    ],
)
class ChurnModels(Table):
    """Logistic regressions of whether a customer is lost within a horizon.

    subscriptions: of customers with MRR on the cut-off, lost are those without on the day
    ``horizon_days`` later (setting churn_horizon_days). orders: of customers with a purchase in the
    churn_inactivity_days up to and with the cut-off, lost are those without one in as many days
    after it. Features are of the cut-off and before: logarithms of one more than the days since
    the first day with MRR or purchase (tenure), MRR or revenue per purchase day (amount), purchase
    days after the first (repeats), days since the last purchase (recency), days since the last
    active one, 365 at most and where there is none (inactivity), open tickets; the share of the
    last 28 days that were active (active_share); whether a payment is overdue (past_due). A later
    end that is already agreed on is no feature: since when it was known is not told.

    The fit is of ``cutoff_date``, judged on ``judged_date``: what the first is fitted to has all
    happened by the second. It is used only where its Brier score there is below that of telling
    everybody the base rate. Fewer than ten customers lost, or ten kept, per feature are too few.
    """

    model: pl.String = column(
        "subscriptions: customers under contract; orders: customers of a shop", isin=list(MODELS)
    )
    as_of: pl.Date = column("Last day of the data, data_through")
    horizon_days: pl.Int64 = count("Days ahead that the risk is of", unit="days")
    cutoff_date: pl.Date = column(
        "Day whose customers the model is fitted to: churn_cutoff, at the latest two horizons "
        "before as_of"
    )
    customers: pl.Int64 = count("Customers on that day", unit="customers")
    churned_customers: pl.Int64 = count("Those of them lost a horizon later", unit="customers")
    base_rate: pl.Float64 = share(
        "Share of them that were lost", formula="churned_customers / customers"
    )
    is_fitted: pl.Boolean = column("There are weights")
    is_used: pl.Boolean = column("customer_profiles takes its risks from this model")
    note: pl.String = column("Why there are no weights, or why they are not used", nullable=True)
    intercept: pl.Float64 = column(
        "Height of the line where every feature is zero; the risk is 1 / (1 + exp(-height))",
        nullable=True,
    )
    tenure_coefficient: pl.Float64 = _weight("tenure")
    amount_coefficient: pl.Float64 = _weight("amount")
    active_share_coefficient: pl.Float64 = _weight("active_share")
    inactivity_coefficient: pl.Float64 = _weight("inactivity")
    open_tickets_coefficient: pl.Float64 = _weight("open_tickets")
    past_due_coefficient: pl.Float64 = _weight("past_due")
    repeats_coefficient: pl.Float64 = _weight("repeats")
    recency_coefficient: pl.Float64 = _weight("recency")
    judged_date: pl.Date = column(
        "Day whose customers the model is judged by: a horizon before as_of"
    )
    judged_customers: pl.Int64 = count("Customers on that day", unit="customers")
    judged_churned_customers: pl.Int64 = count(
        "Those of them lost a horizon later", unit="customers"
    )
    judged_churn_rate: pl.Float64 = share(
        "Share of them that were lost", formula="judged_churned_customers / judged_customers"
    )
    mean_risk: pl.Float64 = _mark("Mean of the risks that were told of them", ge=0.0, le=1.0)
    brier_score: pl.Float64 = _mark(
        "Mean squared distance of the risks from what came, 0 at best", ge=0.0, le=1.0
    )
    base_brier_score: pl.Float64 = _mark("The same for telling everybody base_rate", ge=0.0, le=1.0)
    auc: pl.Float64 = _mark(
        "How often who was lost had a higher risk than who was not: 0.5 is chance, 1 at best; null "
        "where there are not both",
        ge=0.0,
        le=1.0,
    )
    calibration_error: pl.Float64 = _mark(
        "Mean distance of mean risk and share lost over tenths of risk, weighed by customers",
        ge=0.0,
        le=1.0,
    )
