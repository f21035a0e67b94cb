"""Checks between the product tables and others: each finds the rows that break it."""

from collections.abc import Mapping

import polars as pl

from pipelines.checks.check import Check
from schemas.base import ALL


def differing_audience(tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Active users beside a feature against those of the activity tables."""
    place = ["dimension", "segment", "active_users"]
    daily = tables["active_users_daily"].rename({"date": "period_start", "dau": "active_users"})
    columns = ["grain", "period_start", *place]
    known = pl.concat(
        [
            daily.with_columns(grain=pl.lit("day")).select(columns),
            tables["active_users_periodic"].select(columns),
        ]
    )
    return tables["feature_usage"].select(columns).unique().join(known, on=columns, how="anti")


def differing_launches(tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Features that were used by nobody on the day on which they were first seen, or before it."""
    days = tables["feature_usage"].filter(pl.col("grain") == "day", pl.col("dimension") == ALL)
    first_use = pl.col("period_start").filter(pl.col("feature_users") > 0).min()
    firsts = days.group_by("feature", "first_seen_date").agg(first_use=first_use)
    return firsts.filter(pl.col("first_seen_date").ne_missing(pl.col("first_use")))


def broken_funnels(tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Steps that do not begin with the people of the step before, or of the first."""
    key = ["entry_date", "funnel", "step"]
    steps = tables["funnel_daily"]
    before = steps.select("entry_date", "funnel", pl.col("step") + 1, before="entered_users")
    first = steps.filter(step=1).select("entry_date", "funnel", entered="entered_users")
    joined = steps.join(before, on=key, how="left").join(
        first, on=["entry_date", "funnel"], how="left"
    )
    return joined.filter(
        pl.col("previous_users").ne_missing(pl.col("before"))
        | pl.col("first_users").ne_missing(pl.col("entered"))
    )


PRODUCT_CHECKS = (
    Check(
        "features_are_used_by_the_active",
        "feature_usage",
        ("active_users_daily", "active_users_periodic"),
        "Active users beside a feature are those of active_users_daily and active_users_periodic.",
        differing_audience,
    ),
    Check(
        "features_begin_when_first_seen",
        "feature_usage",
        (),
        "The first day on which a feature has users is its first_seen_date.",
        differing_launches,
    ),
    Check(
        "funnels_go_on_from_the_step_before",
        "funnel_daily",
        (),
        "A step of a funnel begins with the people of the step before, and of the first.",
        broken_funnels,
    ),
)
