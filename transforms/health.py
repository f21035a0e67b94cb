"""How well a customer is doing, from 0 to 100: a weighted mean of components that are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from transforms.division import ratio

COMPONENTS = ("activity", "satisfaction", "support", "payment")
_KINDS = ("nps", "csat", "ces")


@dataclass(frozen=True)
class Measure:
    """What is full marks, what is none, and what weighs how much."""

    weights: Mapping[str, float]
    active_days: int
    open_tickets: int
    survey_days: int
    churn_inactivity_days: int


def with_health(states: pl.LazyFrame, measure: Measure, on: date) -> pl.LazyFrame:
    """Add a score and points per component, ``components_known`` and ``health_score``.

    A component that is not known has no score and takes no part in the mean: the weights of the
    others are divided by their sum. The points of a component are what it adds to the mean.
    """
    scores = {
        "activity": _activity(measure),
        "satisfaction": _satisfaction(measure, on),
        "support": _support(measure),
        "payment": _payment(measure, on),
    }
    known = {name: pl.col(f"{name}_score").is_not_null() for name in COMPONENTS}
    weighs = [pl.when(known[name]).then(measure.weights[name]).otherwise(0.0) for name in known]
    points = {
        f"{name}_points": ratio(pl.col(f"{name}_score") * measure.weights[name], "known_weight")
        for name in COMPONENTS
    }
    # One after the other: the order of a sum of floats shows.
    added = sum((pl.col(name).fill_null(0.0) for name in points), pl.lit(0.0))
    counting = [known[name] for name in COMPONENTS if measure.weights[name] > 0]
    return (
        states.with_columns(score.alias(f"{name}_score") for name, score in scores.items())
        .with_columns(
            known_weight=sum(weighs, pl.lit(0.0)),
            components_known=pl.sum_horizontal(counting).cast(pl.Int64),
        )
        .with_columns(**points)
        .with_columns(
            health_score=pl.when(pl.col("components_known") > 0).then(added.clip(0.0, 100.0))
        )
    )


def health_level(good: float, fair: float) -> pl.Expr:
    """good, fair or poor by where the score begins to be so; unknown without one."""
    score = pl.col("health_score")
    return (
        pl.when(score >= good)
        .then(pl.lit("good"))
        .when(score >= fair)
        .then(pl.lit("fair"))
        .when(score.is_not_null())
        .then(pl.lit("poor"))
        .otherwise(pl.lit("unknown"))
    )


def _activity(measure: Measure) -> pl.Expr:
    """Active days against those that are full marks; known of who was ever active."""
    share = pl.min_horizontal(pl.col("active_days") / measure.active_days, pl.lit(1.0))
    return pl.when(pl.col("last_active_date").is_not_null()).then(100.0 * share)


def _satisfaction(measure: Measure, on: date) -> pl.Expr:
    """Mean of the latest answers of each kind, each by its place on its own scale."""
    places = []
    for kind in _KINDS:
        low, high = pl.col(f"{kind}_scale_min"), pl.col(f"{kind}_scale_max")
        place = (pl.col(f"{kind}_score") - low) / (high - low)
        is_effort = (pl.col(f"{kind}_direction") == "effort") & pl.lit(kind == "ces")
        age = (pl.lit(on) - pl.col(f"{kind}_date")).dt.total_days()
        good = pl.when(is_effort).then(1.0 - place).otherwise(place)
        places.append(pl.when(age < measure.survey_days).then(100.0 * good))
    return pl.mean_horizontal(places)


def _support(measure: Measure) -> pl.Expr:
    """Open tickets against those that are too many; known of who ever opened one."""
    share = pl.min_horizontal(pl.col("open_tickets") / measure.open_tickets, pl.lit(1.0))
    return pl.when(pl.col("tickets") > 0).then(100.0 * (1.0 - share))


def _payment(measure: Measure, on: date) -> pl.Expr:
    """The better of contract and orders; known of who ever bore MRR or bought."""
    past_due = pl.when(pl.col("is_past_due")).then(50.0).otherwise(100.0)
    contract = pl.when(pl.col("mrr_amount") > 0).then(past_due).otherwise(0.0)
    since = (pl.lit(on) - pl.col("last_purchase_date")).dt.total_days()
    recent = (1.0 - since / measure.churn_inactivity_days).clip(0.0, 1.0)
    return pl.max_horizontal(
        pl.when(pl.col("first_paid_date").is_not_null()).then(contract), 100.0 * recent
    )
