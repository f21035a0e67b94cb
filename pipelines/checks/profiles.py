"""Checks between customer profiles and what they are made from."""

import polars as pl

from pipelines.checks.check import Check, Tables, apart
from transforms.fates import counted
from transforms.recurring import stretches


def differing_mrr(tables: Tables) -> pl.LazyFrame:
    """MRR of all profiles against that of the stretches that hold their day."""
    profiles = tables["customer_profiles"].select(told=pl.col("mrr_amount").sum())
    day, until = pl.col("as_of"), pl.col("until_date")
    holds = (pl.col("from_date") <= day) & (until.is_null() | (until > day))
    borne = stretches(tables["subscriptions"]).join(_day_of(tables), how="cross")
    sums = borne.filter(holds).select(borne=pl.col("mrr_amount").sum())
    return apart(pl.concat((profiles, sums), how="horizontal"), "told", "borne")


def differing_revenue(tables: Tables) -> pl.LazyFrame:
    """Revenue of all profiles against that of the orders up to their day."""
    profiles = tables["customer_profiles"].select(told=pl.col("revenue_amount").sum())
    orders = counted(tables["orders"]).join(_day_of(tables), how="cross")
    until = orders.filter(pl.col("event_date") <= pl.col("as_of"))
    sums = until.select(ordered=pl.col("amount").sum())
    return apart(pl.concat((profiles, sums), how="horizontal"), "told", "ordered")


def risks_without_model(tables: Tables) -> pl.LazyFrame:
    """Profiles whose risk is said to be of a model that is not used."""
    used = tables["churn_models"].filter("is_used").select(churn_risk_model="model")
    of_model = ~pl.col("churn_risk_model").is_in(["inactivity", "none"])
    told = tables["customer_profiles"].filter(of_model)
    return told.join(used, on="churn_risk_model", how="anti")


def _day_of(tables: Tables) -> pl.LazyFrame:
    return tables["customer_profiles"].select(as_of=pl.col("as_of").max()).drop_nulls()


PROFILES_CHECKS = (
    Check(
        "profiles_bear_all_mrr",
        "customer_profiles",
        ("subscriptions",),
        "The MRR of all customers is that of the subscriptions on their day.",
        differing_mrr,
    ),
    Check(
        "profiles_hold_all_orders",
        "customer_profiles",
        ("orders",),
        "The revenue of all customers is that of the orders up to their day.",
        differing_revenue,
    ),
    Check(
        "risks_are_of_models_in_use",
        "customer_profiles",
        ("churn_models",),
        "A risk that a model tells is of one that is used.",
        risks_without_model,
    ),
)
