"""What must hold between the tables of activity."""

import polars as pl

from pipelines.checks.check import Check, Tables


def _differing_daily_actives(tables: Tables) -> pl.LazyFrame:
    key = ["date", "dimension", "segment"]
    daily = tables["active_users_daily"].select(*key, "dau")
    lifecycle = tables["lifecycle"].filter(grain="day").rename({"period_start": "date"})
    other = lifecycle.select(*key, active="active_users")
    joined = daily.join(other, on=key, how="full", coalesce=True)
    return joined.filter(pl.col("dau").ne_missing(pl.col("active")))


def _differing_periodic_actives(tables: Tables) -> pl.LazyFrame:
    key = ["grain", "period_start", "dimension", "segment"]
    periodic = tables["active_users_periodic"].select(*key, "active_users")
    lifecycle = tables["lifecycle"].filter(pl.col("grain") != "day")
    other = lifecycle.select(*key, active="active_users")
    joined = periodic.join(other, on=key, how="full", coalesce=True)
    return joined.filter(pl.col("active_users").ne_missing(pl.col("active")))


def _differing_histogram(tables: Tables) -> pl.LazyFrame:
    key = ["grain", "period_start"]
    bars = tables["active_days_histogram"].group_by(key).agg(pl.col("users").sum())
    everybody = tables["active_users_periodic"].filter(dimension="all")
    actives = everybody.filter(pl.col("active_users") > 0).select(*key, "active_users")
    joined = bars.join(actives, on=key, how="full", coalesce=True)
    return joined.filter(pl.col("users").ne_missing(pl.col("active_users")))


def _differing_cohorts(tables: Tables) -> pl.LazyFrame:
    """Newcomers of a day against the size of its cohort."""
    sizes = tables["cohort_retention"].filter(
        definition="activity", grain="day", period_index=0, dimension="all"
    )
    everybody = sizes.select("cohort_users", date="cohort_start")
    new = tables["active_users_daily"].filter(
        (pl.col("new_users") > 0) & (pl.col("dimension") == "all")
    )
    joined = everybody.join(new.select("date", "new_users"), on="date", how="full", coalesce=True)
    return joined.filter(pl.col("cohort_users").ne_missing(pl.col("new_users")))


ACTIVITY_CHECKS = (
    Check(
        "daily_actives_agree",
        "lifecycle",
        ("active_users_daily",),
        "Active users of a day are the same in lifecycle and in active_users_daily.",
        _differing_daily_actives,
    ),
    Check(
        "periodic_actives_agree",
        "lifecycle",
        ("active_users_periodic",),
        "Active users of a week or month are the same in lifecycle and in active_users_periodic.",
        _differing_periodic_actives,
    ),
    Check(
        "histogram_adds_up",
        "active_days_histogram",
        ("active_users_periodic",),
        "The users of all bars of a period are its active users.",
        _differing_histogram,
    ),
    Check(
        "cohorts_are_newcomers",
        "cohort_retention",
        ("active_users_daily",),
        "The cohort of a day has as many users as were new on it.",
        _differing_cohorts,
    ),
)
