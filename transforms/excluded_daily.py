"""Events that are left out everywhere, by day and rule."""

from datetime import date

import polars as pl

_KEY = ["event_date", "rule"]


def excluded_daily(excluded_days: pl.LazyFrame, *, data_through: date) -> pl.LazyFrame:
    """One row per rule and day, from its first to ``data_through``."""
    known = excluded_days.filter(pl.col("event_date") <= data_through)
    days = pl.date_ranges("event_date", pl.lit(data_through))
    spine = known.group_by("rule").agg(pl.col("event_date").min()).with_columns(event_date=days)
    return (
        spine.explode("event_date")
        .join(known, on=_KEY, how="left")
        .select(
            "rule",
            pl.col("events", "users").fill_null(0),
            date="event_date",
            is_complete=pl.lit(True),
        )
        .select("date", "rule", "events", "users", "is_complete")
    )
