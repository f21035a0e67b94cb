"""Risk of losing a customer: what it is told from, and the risk that a fitted model tells.

The features of a day are of that day and before it. Amounts, counts and days enter as logarithms of
one more than they are; 365 days stand for everything longer, and for who was never active.
"""

from datetime import date

import polars as pl

from transforms.customer_facts import ACTIVITY_DAYS
from transforms.division import ratio

SUBSCRIPTIONS, ORDERS = "subscriptions", "orders"
FEATURES = {
    SUBSCRIPTIONS: (
        "tenure",
        "amount",
        "active_share",
        "inactivity",
        "open_tickets",
        "past_due",
    ),
    ORDERS: (
        "tenure",
        "amount",
        "repeats",
        "recency",
        "active_share",
        "inactivity",
        "open_tickets",
    ),
}
DECIMALS = 6
_LONGEST = 365
# Idle for up to this share of the window: this risk.
_BY_IDLE_QUARTERS = ((1, 0.1), (2, 0.3), (3, 0.6))
_LAST_RISK = 0.9


def features(model: str, on: date) -> list[pl.Expr]:
    """The features of a model from the state of a customer, in the order of ``FEATURES``."""
    of_subscriptions = model == SUBSCRIPTIONS
    first = "first_paid_date" if of_subscriptions else "first_purchase_date"
    spent = (
        pl.col("mrr_amount").cast(pl.Float64)
        if of_subscriptions
        else ratio("revenue_amount", "purchase_days")
    )
    idle = _days_since("last_active_date", on).fill_null(_LONGEST).clip(0, _LONGEST)
    made = {
        "tenure": _logarithm(_days_since(first, on)),
        "amount": _logarithm(spent),
        "repeats": _logarithm(pl.col("purchase_days") - 1),
        "recency": _logarithm(_days_since("last_purchase_date", on)),
        "active_share": pl.col("active_days") / ACTIVITY_DAYS,
        "inactivity": _logarithm(idle),
        "open_tickets": _logarithm(pl.col("open_tickets")),
        "past_due": pl.col("is_past_due").cast(pl.Float64),
    }
    return [made[name].alias(f"{name}_feature") for name in FEATURES[model]]


def weights(churn_models: pl.LazyFrame) -> pl.LazyFrame:
    """The lines of the models that are to be used, null where there is none: one row."""
    return churn_models.select(
        pl.col(name)
        .filter(pl.col("is_used"), pl.col("model") == model)
        .max()
        .alias(f"{model}_{name}")
        for model, names in FEATURES.items()
        for name in ("intercept", *(f"{each}_coefficient" for each in names))
    )


def risk(model: str, on: date) -> pl.Expr:
    """The risk of a day's state, with the columns of :func:`weights` beside it."""
    weighed = (
        pl.col(f"{model}_{name}_coefficient") * feature
        for name, feature in zip(FEATURES[model], features(model, on), strict=True)
    )
    # One after the other: the order of a sum of floats shows.
    height = sum(weighed, pl.col(f"{model}_intercept"))
    return (1.0 / (1.0 + (-height).exp())).round(DECIMALS)


def risk_by_inactivity(idle_days: pl.Expr, window_days: int) -> pl.Expr:
    """A level where no model can be had: how much of the window has passed without a trace.

    A tenth for up to a quarter of it, three tenths up to a half, six tenths up to three quarters,
    nine tenths beyond. Null of who left no trace.
    """
    risk = pl.lit(_LAST_RISK)
    for quarters, level in reversed(_BY_IDLE_QUARTERS):
        risk = pl.when(4 * idle_days <= quarters * window_days).then(level).otherwise(risk)
    return pl.when(idle_days.is_not_null()).then(risk)


def _days_since(day: str, on: date) -> pl.Expr:
    return (pl.lit(on) - pl.col(day)).dt.total_days()


def _logarithm(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Float64).clip(lower_bound=0.0).log1p()
