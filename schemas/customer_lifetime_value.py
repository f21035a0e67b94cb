"""What each customer has been worth, and is expected to be worth."""

import polars as pl

from schemas.base import Money, Table, column, count, money, table

CUSTOMER_MODELS = ("bg_nbd", "sbg")


@table(
    grain="one row per customer and model",
    key=["customer_id", "as_of", "model"],
    warnings=[
        "Moving: every column is as of data_through, and changes with each night.",
        "A customer with orders and with subscriptions has two rows, whose values may be added.",
        "recency_days counts from the first purchase, as the models do, not back from today.",
    ],
)
class CustomerLifetimeValue(Table):
    """History and prediction.

    Without contract: BG/NBD and Gamma-Gamma; with one: shifted beta-geometric. The models are
    those of clv_models, fitted up to its cut-off; each customer's own history runs to data_through.
    Predictions are null where clv_models has no parameters.
    """

    customer_id: pl.String = column("Customer who ordered or subscribed")
    as_of: pl.Date = column("Last day of the data, data_through")
    model: pl.String = column(
        "bg_nbd: orders without contract; sbg: subscriptions", isin=list(CUSTOMER_MODELS)
    )
    orders: pl.Int64 = count("Orders with a purchase; months billed, where there is a contract")
    revenue_amount: Money = money("Orders less refunds; the MRR of the months billed")
    first_order_date: pl.Date = column(
        "Day of the first purchase; first day of the first month billed; null for who only had "
        "refunds",
        nullable=True,
    )
    last_order_date: pl.Date = column(
        "Day of the last purchase; first day of the last month billed", nullable=True
    )
    frequency: pl.Int64 = count(
        "Days with a purchase after the first one; renewals passed since the customer last began "
        "to pay",
        unit="days, or renewals",
        nullable=True,
    )
    recency_days: pl.Int64 = count(
        "Days from the first purchase to the last; null with a contract", unit="days", nullable=True
    )
    tenure_days: pl.Int64 = count(
        "Days from the first purchase to as_of; null with a contract", unit="days", nullable=True
    )
    valued_days: pl.Int64 = count(
        "Those of the days of frequency whose netted sum is above zero; null with a contract",
        unit="days",
        nullable=True,
    )
    valued_amount: Money = money(
        "Netted sum of these days; null with a contract", nullable=True, ge=0
    )
    monetary_amount: Money = money(
        "Mean of these days, null without any; MRR on as_of where there is a contract",
        formula="valued_amount / valued_days",
        nullable=True,
        ge=0,
    )
    alive_probability: pl.Float64 = column(
        "Probability of still being a customer: 1 without a repeat purchase, where the model lets "
        "nobody stop; 1 or 0 with a contract, where it is known",
        unit="fraction",
        nullable=True,
        ge=0.0,
        le=1.0,
    )
    expected_orders: pl.Float64 = column(
        "Days with a purchase, or months billed, that are expected over the horizon",
        unit="orders",
        nullable=True,
        ge=0.0,
    )
    expected_value_amount: Money = money(
        "Their expected amount, discounted month by month at the yearly rate",
        nullable=True,
        ge=0,
    )
