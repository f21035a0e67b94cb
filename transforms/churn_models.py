"""The models behind churn risk: their weights, and how well they foretold."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from schemas.base import dtypes
from schemas.churn_models import ChurnModels
from transforms import logistic
from transforms.churn_risk import DECIMALS, FEATURES, SUBSCRIPTIONS, features
from transforms.customer_facts import contracts, purchases
from transforms.customer_states import Sources, is_buying, is_paying
from transforms.division import ratio
from transforms.likelihood import Floats

# A rule of thumb of regression: fewer of the rarer outcome cannot bear a weight.
TELLING_PER_FEATURE = 10
_TOLD = ("as_of", "horizon_days", "cutoff_date", "judged_date", "base_rate", "judged_churn_rate")

Lost = Callable[[Sources, date], pl.LazyFrame]


def churn_models(
    customers: pl.LazyFrame,
    subscriptions: pl.LazyFrame,
    orders: pl.LazyFrame,
    tickets: pl.LazyFrame,
    user_months: pl.LazyFrame,
    *,
    timezone: str,
    churn_cutoff: date | None,
    churn_horizon_days: int,
    churn_inactivity_days: int,
    data_through: date,
) -> pl.LazyFrame:
    """Each model fitted to what became of an earlier day's customers, judged by a later day's.

    Holds the customers of the two days in memory, a row of features each.
    """
    sources = Sources(customers, subscriptions, orders, tickets, user_months, timezone)
    parts = []
    for model in FEATURES:
        days = churn_horizon_days if model == SUBSCRIPTIONS else churn_inactivity_days
        judged = data_through - timedelta(days=days)
        fitted = min(churn_cutoff or judged, judged - timedelta(days=days))
        rows = pl.concat(
            churn_outcomes(sources, model, on, days).with_columns(is_fit=pl.lit(on == fitted))
            for on in (fitted, judged)
        )
        parts.append(
            _judged(rows, model).with_columns(
                as_of=pl.lit(data_through),
                horizon_days=pl.lit(days, pl.Int64),
                cutoff_date=pl.lit(fitted),
                judged_date=pl.lit(judged),
            )
        )
    return (
        pl.concat(parts)
        .with_columns(
            base_rate=ratio("churned_customers", "customers"),
            judged_churn_rate=ratio("judged_churned_customers", "judged_customers"),
        )
        .select(*dtypes(ChurnModels))
    )


def churn_outcomes(sources: Sources, model: str, on: date, days: int) -> pl.LazyFrame:
    """Customers of a day: customer_id, their features, and whether they ``is_lost`` days later."""
    then = on + timedelta(days=days)
    if model == SUBSCRIPTIONS:
        states = sources.under_contract(on)
        later = contracts(sources.subscriptions, sources.customers, then).filter(is_paying())
    else:
        states = sources.buyers(on, days)
        bought = purchases(sources.orders, sources.customers, then)
        later = bought.filter(is_buying(then, days))
    stays = later.select("customer_id", stays=pl.lit(True))
    return states.join(stays, on="customer_id", how="left").select(
        "customer_id", *features(model, on), is_lost=pl.col("stays").is_null()
    )


def _judged(rows: pl.LazyFrame, model: str) -> pl.LazyFrame:
    schema = {name: dtype for name, dtype in dtypes(ChurnModels).items() if name not in _TOLD}

    def as_row(frame: pl.DataFrame) -> pl.DataFrame:
        ordered = frame.sort("is_fit", "customer_id")
        return pl.DataFrame([_row(ordered, model)], schema=schema)

    return rows.map_batches(as_row, schema=schema)


def _row(rows: pl.DataFrame, model: str) -> dict[str, Any]:
    """Columns of ``churn_models`` from the customers of both days."""
    fitted, judged = rows.filter("is_fit"), rows.filter(~pl.col("is_fit"))
    note = _too_little(fitted, model)
    counts = {
        "model": model,
        "customers": fitted.height,
        "churned_customers": int(fitted["is_lost"].sum()),
        "judged_customers": judged.height,
        "judged_churned_customers": int(judged["is_lost"].sum()),
    }
    if note:
        return counts | {"is_fitted": False, "is_used": False, "note": note}
    line = _rounded(logistic.fit(_features(fitted, model), _lost(fitted)))
    weights = {
        f"{name}_coefficient": float(weight)
        for name, weight in zip(FEATURES[model], line.coefficients, strict=True)
    }
    told = counts | weights | {"is_fitted": True, "intercept": line.intercept}
    if judged.is_empty():
        return told | {"is_used": False, "note": "no later customers to be judged by"}
    risk = np.round(logistic.risks(line, _features(judged, model)), DECIMALS)
    marks = logistic.marks(risk, _lost(judged), float(_lost(fitted).mean()))
    is_used = marks.brier_score < marks.base_brier_score
    note = None if is_used else "foretold later customers no better than the base rate"
    numbers = {name: value and round(value, DECIMALS) for name, value in vars(marks).items()}
    return told | numbers | {"is_used": is_used, "note": note}


def _too_little(rows: pl.DataFrame, model: str) -> str | None:
    """Why nothing can be learned from the rows; None where something can."""
    lost = int(rows["is_lost"].sum())
    kept = rows.height - lost
    telling = int(logistic.telling(_features(rows, model)).sum()) if rows.height else 0
    least = TELLING_PER_FEATURE * telling
    if telling and min(lost, kept) >= least:
        return None
    wanted = f"at least {least} of each are needed" if telling else "nothing tells them apart"
    return f"too little history: {lost} customers were lost and {kept} kept, {wanted}"


def _rounded(line: logistic.Line) -> logistic.Line:
    """The line as it is published: what is told from it is told from these digits."""
    return logistic.Line(
        round(line.intercept, DECIMALS), np.round(line.coefficients, DECIMALS) + 0.0
    )


def _features(rows: pl.DataFrame, model: str) -> Floats:
    names = [f"{name}_feature" for name in FEATURES[model]]
    return np.ascontiguousarray(rows.select(names).to_numpy(), dtype=np.float64)


def _lost(rows: pl.DataFrame) -> Floats:
    return rows["is_lost"].cast(pl.Float64).to_numpy()
