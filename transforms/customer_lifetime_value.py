"""What each customer has been worth, and is expected to be worth."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.customer_lifetime_value import CustomerLifetimeValue
from transforms.fates import counted
from transforms.foresight import Horizon, purchases_ahead, renewals_ahead
from transforms.money import MONEY, divided, from_units, total, units
from transforms.purchases import histories
from transforms.tenures import last_whole_month, renewals, tenures


def customer_lifetime_value(
    orders: pl.LazyFrame,
    customer_months: pl.LazyFrame,
    clv_models: pl.LazyFrame,
    *,
    clv_horizon_months: int,
    clv_discount_rate: float,
    data_through: date,
) -> pl.LazyFrame:
    """One row for each customer with an order, and one for each who paid at a month's end.

    Expected are the purchases after ``data_through``, from the parameters of ``clv_models``.
    Groups all orders by customer and day.
    """
    horizon = Horizon(clv_horizon_months, clv_discount_rate)
    rows = [
        _without_contract(orders, clv_models, horizon, data_through),
        _with_contract(customer_months, clv_models, horizon, data_through),
    ]
    return pl.concat(
        part.with_columns(as_of=pl.lit(data_through)).select(*dtypes(CustomerLifetimeValue))
        for part in rows
    )


def _without_contract(
    orders: pl.LazyFrame, clv_models: pl.LazyFrame, horizon: Horizon, through: date
) -> pl.LazyFrame:
    known = histories(orders, through)
    amounts = _model(clv_models, "gamma_gamma", "p", "q", "v")
    key = ["frequency", "recency_days", "tenure_days"]
    ahead = purchases_ahead(
        known.select(key).unique(), _model(clv_models, "bg_nbd", "r", "alpha", "a", "b"), horizon
    )
    # Equation 5 of the Gamma-Gamma paper: without a repeat it is the mean over all customers.
    below = pl.col("p") * pl.col("valued_days") + pl.col("q") - 1
    spent = pl.col("valued_amount").cast(pl.Float64)
    each = pl.when(below > 0).then(pl.col("p") * (pl.col("v") + spent) / below)
    value = each * pl.col("discounted_orders")
    return (
        _order_history(orders, through)
        .join(known, on="customer_id", how="left")
        .join(ahead, on=key, how="left")
        .join(amounts, how="cross")
        .with_columns(
            model=pl.lit("bg_nbd"),
            monetary_amount=from_units(
                divided(units(pl.col("valued_amount")), _whole("valued_days"))
            ),
            expected_value_amount=_as_money(value),
        )
    )


def _order_history(orders: pl.LazyFrame, through: date) -> pl.LazyFrame:
    is_purchase = pl.col("kind") == "purchase"
    day = pl.when(is_purchase).then("event_date")
    order = pl.when(is_purchase).then("order_id")
    return (
        counted(orders)
        .filter(pl.col("event_date") <= through)
        .group_by("customer_id")
        .agg(
            orders=order.drop_nulls().n_unique().cast(pl.Int64),
            revenue_amount=total(pl.col("amount")),
            first_order_date=day.min(),
            last_order_date=day.max(),
        )
    )


def _with_contract(
    customer_months: pl.LazyFrame, clv_models: pl.LazyFrame, horizon: Horizon, through: date
) -> pl.LazyFrame:
    """The running month counts as billed, but not as passed before it has ended."""
    running = through.replace(day=1)
    ended = last_whole_month(through)
    latest = pl.col("last_month") == pl.col("last_month").max().over("customer_id")
    passed = renewals(pl.min_horizontal("last_month", pl.lit(ended))).clip(lower_bound=0)
    stretch = tenures(customer_months, running).filter(latest)
    state = stretch.select("customer_id", "is_lost", frequency=passed)
    ahead = renewals_ahead(
        state.select("frequency").unique(), _model(clv_models, "sbg", "alpha", "beta"), horizon
    )
    pays = ~pl.col("is_lost")
    return (
        _billed(customer_months, running)
        .join(state, on="customer_id")
        .join(ahead, on="frequency", how="left")
        .with_columns(
            monetary_amount=pl.when(pays).then("mrr_amount").otherwise(pl.lit(0, MONEY)),
            alive_probability=pays.cast(pl.Float64),
            # Nothing lies ahead of who left, where anything is known; null times zero is null.
            expected_orders=pl.col("expected_orders") * pays,
            discounted_orders=pl.col("discounted_orders") * pays,
        )
        .with_columns(
            model=pl.lit("sbg"),
            recency_days=pl.lit(None, pl.Int64),
            tenure_days=pl.lit(None, pl.Int64),
            valued_days=pl.lit(None, pl.Int64),
            valued_amount=pl.lit(None, MONEY),
            expected_value_amount=_as_money(
                pl.col("monetary_amount").cast(pl.Float64) * pl.col("discounted_orders")
            ),
        )
    )


def _billed(customer_months: pl.LazyFrame, running: date) -> pl.LazyFrame:
    month = pl.col("month")
    return (
        customer_months.filter(pl.col("mrr_amount") > 0, month <= running)
        .group_by("customer_id")
        .agg(
            orders=pl.len().cast(pl.Int64),
            revenue_amount=total(pl.col("mrr_amount")),
            first_order_date=month.min(),
            last_order_date=month.max(),
            # One row a month: the maximum is the one of the last month.
            mrr_amount=pl.col("mrr_amount").filter(month == month.max()).max(),
        )
    )


def _model(clv_models: pl.LazyFrame, model: str, *names: str) -> pl.LazyFrame:
    """The parameters of a model, null where it has none or is not there: one row."""
    of_model = pl.col("model") == model
    return clv_models.select(pl.col(name).filter(of_model).max() for name in names)


def _whole(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int128)


def _as_money(value: pl.Expr) -> pl.Expr:
    return value.round(4).cast(MONEY)
