"""What must hold between the tables of sources and conversions and those of sessions."""

from collections.abc import Callable

import polars as pl

from pipelines.checks.check import Check, Tables
from schemas.base import ALL


def differing_sources(tables: Tables) -> pl.LazyFrame:
    """Days on which the sessions of all sources are not those of sessions_daily.

    Sources need no subscriptions, and may be known for days beyond the last of sessions_daily.
    """
    daily = tables["sessions_daily"].filter(dimension=ALL).select("date", "sessions")
    last = daily.select(last=pl.col("date").max())
    known = tables["traffic_sources_daily"].join(last, how="cross")
    of_sources = known.filter(pl.col("date") <= pl.col("last")).group_by("date")
    joined = daily.join(
        of_sources.agg(of_sources=pl.col("sessions").sum()), on="date", how="full", coalesce=True
    )
    return joined.filter(pl.col("sessions").fill_null(0) != pl.col("of_sources").fill_null(0))


def differing_visits(conversions: str, sessions: str) -> Callable[[Tables], pl.LazyFrame]:
    """Cells whose sessions and visitors beside a goal are not those of the table of sessions."""
    period = ["date"] if sessions == "sessions_daily" else ["grain", "period_start"]
    columns = [*period, "dimension", "segment", "sessions", "visitors"]

    def find(tables: Tables) -> pl.LazyFrame:
        beside = tables[conversions].select("goal", *columns)
        goals = beside.select("goal").unique()
        due = tables[sessions].select(columns).join(goals, how="cross")
        one_way = beside.join(due, on=["goal", *columns], how="anti")
        other_way = due.join(beside, on=["goal", *columns], how="anti")
        return pl.concat([one_way, other_way.select("goal", *columns)])

    return find


def differing_monthly_conversions(tables: Tables) -> pl.LazyFrame:
    """Conversions and converting sessions of the days of a month against those of the month."""
    key = ["goal", "dimension", "segment"]
    counts = ["conversions", "converting_sessions"]
    month = pl.col("date").dt.month_start().alias("period_start")
    days = tables["conversions_daily"].group_by(month, *key).agg(pl.col(counts).sum())
    months = tables["conversions_periodic"].filter(grain="month")
    found = months.select("period_start", *key, *counts)
    joined = found.join(
        days, on=["period_start", *key], how="full", coalesce=True, suffix="_of_days"
    )
    return joined.filter(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_of_days")) for name in counts)
    )


CHANNELS_CHECKS = (
    Check(
        "sources_are_those_of_the_sessions",
        "traffic_sources_daily",
        ("sessions_daily",),
        "The sessions of all sources of a day are the sessions of the day.",
        differing_sources,
    ),
    Check(
        "daily_conversions_are_of_the_sessions",
        "conversions_daily",
        ("sessions_daily",),
        "Sessions and visitors beside every goal of a day are those of sessions_daily.",
        differing_visits("conversions_daily", "sessions_daily"),
    ),
    Check(
        "periodic_conversions_are_of_the_sessions",
        "conversions_periodic",
        ("sessions_periodic",),
        "Sessions and visitors beside every goal of a period are those of sessions_periodic.",
        differing_visits("conversions_periodic", "sessions_periodic"),
    ),
    Check(
        "conversions_of_days_are_those_of_the_month",
        "conversions_periodic",
        ("conversions_daily",),
        "The conversions of a month are those of its days.",
        differing_monthly_conversions,
    ),
)
