"""What all sources know of a customer, how well they are doing, and the risk of losing them."""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from schemas.base import UNKNOWN, dtypes
from schemas.customer_profiles import CustomerProfiles
from transforms.churn_risk import (
    FEATURES,
    ORDERS,
    SUBSCRIPTIONS,
    risk,
    risk_by_inactivity,
    weights,
)
from transforms.customer_facts import as_customers, mails
from transforms.customer_people import everybody
from transforms.customer_states import Sources, is_buying, is_paying, with_answers
from transforms.fates import counted
from transforms.health import Measure, health_level, with_health
from transforms.money import total
from transforms.recurring import NO_PLAN

_CHANGE_DAYS = 28
_MAILS = ("delivered_mails", "opened_mails", "mailed_weeks", "opened_weeks")
_SEEN = ("last_active_date", "last_purchase_date", "last_answer_date", "last_ticket_date")


def customer_profiles(
    known_users: pl.LazyFrame,
    customers: pl.LazyFrame,
    subscriptions: pl.LazyFrame,
    orders: pl.LazyFrame,
    tickets: pl.LazyFrame,
    survey_responses: pl.LazyFrame,
    user_months: pl.LazyFrame,
    mail_days: pl.LazyFrame,
    customer_lifetime_value: pl.LazyFrame,
    churn_models: pl.LazyFrame,
    *,
    timezone: str,
    churn_inactivity_days: int,
    churn_horizon_days: int,
    health_weights: Mapping[str, float],
    health_levels: Mapping[str, float],
    health_active_days: int,
    health_open_tickets: int,
    health_survey_days: int,
    data_through: date,
) -> pl.LazyFrame:
    """One row for everybody whom a source names by the end of ``data_through``.

    All customers, with what each source sums up to, must fit into memory.
    """
    sources = Sources(customers, subscriptions, orders, tickets, user_months, timezone)
    people = everybody(sources, survey_responses, known_users, data_through).cache()
    measure = Measure(
        health_weights,
        health_active_days,
        health_open_tickets,
        health_survey_days,
        churn_inactivity_days,
    )

    def healthy(on: date) -> pl.LazyFrame:
        states = sources.states(people.select("customer_id", "user_id"), on)
        return with_health(with_answers(states, survey_responses, on), measure, on)

    before = healthy(data_through - timedelta(days=_CHANGE_DAYS)).select(
        "customer_id", score_before="health_score"
    )
    known = (
        healthy(data_through)
        .join(people.drop("user_id"), on="customer_id", how="left")
        .join(before, on="customer_id", how="left")
        .join(_attributes(customers), on="customer_id", how="left")
        .join(_expected(customer_lifetime_value, customers), on="customer_id", how="left")
        .join(mails(mail_days, data_through), on="user_id", how="left")
    )
    windows = {SUBSCRIPTIONS: churn_horizon_days, ORDERS: churn_inactivity_days}
    told = _described(known).with_columns(
        as_of=pl.lit(data_through),
        health_level=health_level(health_levels["good"], health_levels["fair"]),
        health_score_change=pl.col("health_score") - pl.col("score_before"),
    )
    return _at_risk(told, churn_models, windows, data_through).select(*dtypes(CustomerProfiles))


def _described(known: pl.LazyFrame) -> pl.LazyFrame:
    mailed, opened = pl.col("mailed_weeks"), pl.col("opened_weeks")
    habit = (
        pl.when(mailed == 0)
        .then(pl.lit("not_mailed"))
        .when(opened == mailed)
        .then(pl.lit("every_week"))
        .when(opened > 0)
        .then(pl.lit("some_weeks"))
        .otherwise(pl.lit("never"))
    )
    named = pl.when(pl.col("first_paid_date").is_null()).then("named_plan")
    return known.with_columns(pl.col(*_MAILS).fill_null(0)).with_columns(
        pl.col("country", "segment").fill_null(UNKNOWN),
        plan=pl.coalesce("borne_plan", named, pl.lit(NO_PLAN)),
        last_order_date=pl.col("last_purchase_date"),
        first_seen_date=pl.min_horizontal("first_told_date", "first_active_date"),
        last_seen_date=pl.max_horizontal(*_SEEN, "last_started_date"),
        email_habit=habit,
    )


def _attributes(customers: pl.LazyFrame) -> pl.LazyFrame:
    return counted(customers).select("customer_id", "country", "segment", named_plan="plan")


def _expected(customer_lifetime_value: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    """What is expected of each customer, by all models that know."""
    value = pl.col("expected_value_amount")
    foretold = customer_lifetime_value.filter(value.is_not_null())
    return as_customers(foretold, customers).group_by("customer_id").agg(total(value))


def _at_risk(
    told: pl.LazyFrame, churn_models: pl.LazyFrame, windows: Mapping[str, int], on: date
) -> pl.LazyFrame:
    """Add churn_risk and its model: that of the contract, where there is one."""
    idle = (pl.lit(on) - pl.col("last_seen_date")).dt.total_days()
    is_of = {SUBSCRIPTIONS: is_paying(), ORDERS: ~is_paying() & is_buying(on, windows[ORDERS])}
    of_models = [pl.when(is_of[model]).then(risk(model, on)) for model in FEATURES]
    of_rules = [
        pl.when(is_of[model]).then(risk_by_inactivity(idle, windows[model])) for model in FEATURES
    ]
    by_model, by_rule = pl.coalesce(of_models), pl.coalesce(of_rules)
    name = (
        pl.when(by_model.is_not_null())
        .then(pl.when(is_paying()).then(pl.lit(SUBSCRIPTIONS)).otherwise(pl.lit(ORDERS)))
        .when(by_rule.is_not_null())
        .then(pl.lit("inactivity"))
        .otherwise(pl.lit("none"))
    )
    return told.join(weights(churn_models), how="cross").with_columns(
        churn_risk=pl.coalesce(by_model, by_rule), churn_risk_model=name
    )
