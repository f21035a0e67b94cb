"""Interactivity: clicks, shares, comments and the like by day."""

from datetime import date

import polars as pl

from schemas.base import ALL, dtypes
from schemas.interactivity_daily import InteractivityDaily
from transforms.calendar import DAY, every_period
from transforms.division import ratio


def interactivity_daily(
    interaction_days: pl.LazyFrame, sessions_daily: pl.LazyFrame, *, data_through: date
) -> pl.LazyFrame:
    """Every day of every action, from the first on which it was done to ``data_through``.

    ``interaction_days`` holds all days up to the last one.
    """
    firsts = interaction_days.group_by("action").agg(first_date=pl.col("event_date").min())
    days = every_period(firsts, DAY, week_start="monday", data_through=data_through)
    done = interaction_days.rename({"event_date": "date"})
    sessions = sessions_daily.filter(pl.col("dimension") == ALL).select("date", "sessions")
    return (
        days.rename({"period_start": "date"})
        .join(done, on=["date", "action"], how="left")
        .join(sessions, on="date", how="left")
        .with_columns(pl.col("actions", "users", "sessions").fill_null(0))
        .with_columns(
            actions_per_session=ratio("actions", "sessions"),
            is_complete=pl.col("date") <= data_through,
        )
        .select(*dtypes(InteractivityDaily))
    )
