"""Lifetime value by month: the simple formula of the marketing books beside the models."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL, dtypes
from schemas.clv_monthly import ClvMonthly
from transforms.buying_months import ORDER_DIMENSIONS, buying_months
from transforms.calendar import MONTH, period_end
from transforms.customer_dimensions import CELL, customer_dimensions, every_month
from transforms.division import ratio
from transforms.fates import counted
from transforms.money import MONEY, each, total
from transforms.paying_months import mean_churn, paying_months

_MONTHS_A_YEAR = 12


def clv_monthly(
    orders: pl.LazyFrame,
    customer_months: pl.LazyFrame,
    churn_monthly: pl.LazyFrame,
    campaign_costs: pl.LazyFrame,
    customers: pl.LazyFrame,
    customer_lifetime_value: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    churn_inactivity_days: int,
    simple_clv_lifetime_years: float | None,
    data_through: date,
) -> pl.LazyFrame:
    """Every month of every segment, from its first to the running one, for each model with data.

    Groups the orders by order and by customer and month, once per dimension.
    """
    worth = customer_lifetime_value.select(
        "customer_id",
        "model",
        worth=(pl.col("revenue_amount") + pl.col("expected_value_amount")).cast(MONEY),
    )
    bought = buying_months(
        counted(orders).filter(pl.col("event_date") <= data_through),
        counted(customers),
        _of_model(worth, "bg_nbd"),
        dimensions=dimensions,
        days=churn_inactivity_days,
        data_through=data_through,
    )
    names = customer_dimensions(dimensions)
    paid = paying_months(
        customer_months.filter(pl.col("month") <= data_through), _of_model(worth, "sbg"), names
    )
    years = pl.lit(simple_clv_lifetime_years, pl.Float64)
    churn = mean_churn(churn_monthly, data_through)
    lost = pl.col("mean_churn_rate")
    lifetime = ratio(pl.lit(1.0), _MONTHS_A_YEAR * lost)
    without = every_month(bought, data_through, *CELL[1:]).with_columns(
        model=pl.lit("bg_nbd"), mean_churn_rate=pl.lit(None, pl.Float64), mean_lifetime_years=years
    )
    under = (
        every_month(paid, data_through, *CELL[1:])
        .join(churn, on=CELL, how="left")
        .with_columns(model=pl.lit("sbg"), mean_lifetime_years=lifetime)
    )
    both = pl.concat([without, under], how="diagonal")
    costed = both.join(_costs(campaign_costs, data_through), on=CELL, how="left")
    return _with_values(costed, data_through)


def _of_model(worth: pl.LazyFrame, model: str) -> pl.LazyFrame:
    return worth.filter(pl.col("model") == model).select("customer_id", "worth")


def _costs(campaign_costs: pl.LazyFrame, through: date) -> pl.LazyFrame:
    """``cost_amount`` of each month, of all, by channel and by campaign."""
    spent = counted(campaign_costs).filter(pl.col("event_date") <= through)
    month = pl.col("event_date").dt.month_start().alias("month")
    segments = {ALL: pl.lit(ALL), **{name: pl.col(name) for name in ORDER_DIMENSIONS}}
    return pl.concat(
        spent.group_by(month, dimension=pl.lit(name), segment=segment).agg(
            total(pl.col("cost_amount"))
        )
        for name, segment in segments.items()
    )


def _with_values(rows: pl.LazyFrame, through: date) -> pl.LazyFrame:
    cost = pl.col("acquisition_cost_amount")
    value = pl.coalesce("predicted_clv_amount", "simple_clv_amount")
    basis = (
        pl.when(pl.col("predicted_clv_amount").is_not_null())
        .then(pl.lit("predicted"))
        .when(pl.col("simple_clv_amount").is_not_null())
        .then(pl.lit("simple"))
    )
    a_year = ratio(_MONTHS_A_YEAR * pl.col("orders"), "customers")
    return (
        rows.with_columns(
            mean_order_amount=each("revenue_amount", "orders"),
            orders_per_customer_year=a_year,
            predicted_clv_amount=each("predicted_total_amount", "predicted_customers"),
            acquisition_cost_amount=each("cost_amount", "new_customers"),
        )
        .with_columns(simple_clv_amount=_simple_clv())
        .with_columns(
            clv_basis=basis,
            clv_to_cac_ratio=ratio(value, cost),
            is_complete=period_end(pl.col("month"), MONTH) <= through,
        )
        .select(*dtypes(ClvMonthly))
    )


def _simple_clv() -> pl.Expr:
    mean_order = pl.col("mean_order_amount").cast(pl.Float64)
    value = mean_order * pl.col("orders_per_customer_year") * pl.col("mean_lifetime_years")
    return value.round(4).cast(MONEY)
