"""Lifetime value by month: the simple formula of the marketing books beside the models."""

import polars as pl

from schemas.base import Money, Table, column, count, money, table
from schemas.customer_lifetime_value import CUSTOMER_MODELS

_MOVING = "Moving: as of the last day of customer_lifetime_value."


@table(
    grain="one row per calendar month, model, dimension and segment",
    key=["month", "model", "dimension", "segment"],
    warnings=[
        "customers is a state at the month's end: never sum it over months, nor over segments.",
        "The running month shows what there is so far: its orders_per_customer_year is still low.",
        "Where there are orders and subscriptions, the whole cost stands against each model's own "
        "new customers.",
    ],
    rules=[
        (
            "a lifetime value has neither a prediction nor a simple one behind it",
            pl.col("clv_basis").is_null()
            == (pl.col("predicted_clv_amount").is_null() & pl.col("simple_clv_amount").is_null()),
        )
    ],
)
class ClvMonthly(Table):
    """Orders and their customers of a month, what these are worth, and what new ones cost."""

    month: pl.Date = column("First day of the calendar month")
    model: pl.String = column(
        "bg_nbd: orders without contract; sbg: subscriptions", isin=list(CUSTOMER_MODELS)
    )
    dimension: pl.String = column(
        "Dimension, or all. Of orders: channel and campaign of the order, country and segment of "
        "the customer; of subscriptions: country, segment and plan"
    )
    segment: pl.String = column("Value of the dimension, or all")
    orders: pl.Int64 = count(
        "Orders with a purchase, in the month of their first line; a customer's billed month of "
        "subscriptions is one"
    )
    revenue_amount: Money = money("Orders less refunds of the month; MRR of the billed months")
    customers: pl.Int64 = count(
        "Customers at the month's end, or on data_through if that is earlier: with a purchase in "
        "the churn_inactivity_days up to and with it; whose MRR is above zero",
        unit="customers",
    )
    mean_order_amount: Money = money(
        "Mean order; null without orders", formula="revenue_amount / orders", nullable=True
    )
    orders_per_customer_year: pl.Float64 = column(
        "Orders of a customer in a year that is like this month; null without customers",
        unit="orders",
        formula="12 * orders / customers",
        nullable=True,
        ge=0.0,
    )
    mean_churn_rate: pl.Float64 = column(
        "Mean of the monthly churn rates of the last 12 complete months up to this one, as far as "
        "there are; null without contract",
        unit="fraction",
        formula="mean of churn_monthly's churn_rate",
        nullable=True,
        ge=0.0,
        le=1.0,
    )
    mean_lifetime_years: pl.Float64 = column(
        "How long a customer stays: from the mean churn, null where there was none; without "
        "contract the setting simple_clv_lifetime_years",
        unit="years",
        formula="1 / (12 * mean_churn_rate)",
        nullable=True,
        ge=0.0,
    )
    simple_clv_amount: Money = money(
        "Lifetime value by the simple formula",
        formula="mean_order_amount * orders_per_customer_year * mean_lifetime_years",
        nullable=True,
    )
    new_customers: pl.Int64 = count(
        "Customers whose first purchase ever was in the month, by the segment of that one; who "
        "paid at a month's end for the first time",
        unit="customers",
    )
    predicted_customers: pl.Int64 = count(
        "Those of the new customers for whom there is a prediction",
        unit="customers",
        warning=_MOVING,
    )
    predicted_total_amount: Money = money(
        "What these have brought so far and are expected to bring over the horizon; 0 without any",
        warning=_MOVING,
    )
    predicted_clv_amount: Money = money(
        "Predicted lifetime value of one of the month's new customers: so far and over the horizon",
        formula="predicted_total_amount / predicted_customers",
        warning=_MOVING,
        nullable=True,
    )
    cost_amount: Money = money(
        "Campaign costs of the month; known for all, by channel and by campaign; null where there "
        "are none",
        nullable=True,
    )
    acquisition_cost_amount: Money = money(
        "What a new customer cost; null without a cost or a new customer",
        formula="cost_amount / new_customers",
        nullable=True,
    )
    clv_basis: pl.String = column(
        "Which lifetime value clv_to_cac_ratio takes: predicted, else simple",
        isin=["predicted", "simple"],
        warning=_MOVING,
        nullable=True,
    )
    clv_to_cac_ratio: pl.Float64 = column(
        "How many times its cost of acquisition a customer is worth; null without a cost",
        unit="ratio",
        formula="(predicted_clv_amount, else simple_clv_amount) / acquisition_cost_amount",
        warning=_MOVING,
        nullable=True,
    )
    is_complete: pl.Boolean = column("The month's last day is not after data_through")
