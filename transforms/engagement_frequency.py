"""How often people come and do something, by calendar week and month."""

from datetime import date

import polars as pl

from schemas.base import ALL, dtypes
from schemas.engagement_frequency import EngagementFrequency
from transforms.calendar import MONTH, WEEK, period_end, period_start
from transforms.division import ratio

_KEY = ["grain", "period_start"]
_COUNTS = ["events", "sessions", "active_users", "customers"]


def engagement_frequency(
    sessions_periodic: pl.LazyFrame,
    lifecycle: pl.LazyFrame,
    user_days: pl.LazyFrame,
    *,
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every week and month in which history has begun, of sessions or of active events.

    ``lifecycle`` holds all months up to the last one: the customers of a period are the newcomers
    of all periods up to it. ``user_days`` goes one month further, for weeks.
    """
    sessions = sessions_periodic.filter(pl.col("dimension") == ALL).select(*_KEY, "sessions")
    events = pl.concat(
        [_events(user_days, grain, week_start, data_through) for grain in (WEEK, MONTH)]
    )
    end = (
        pl.when(pl.col("grain") == WEEK)
        .then(period_end(pl.col("period_start"), WEEK))
        .otherwise(period_end(pl.col("period_start"), MONTH))
    )
    return (
        sessions.join(_people(lifecycle), on=_KEY, how="full", coalesce=True)
        .join(events, on=_KEY, how="left")
        .with_columns(pl.col(_COUNTS).fill_null(0), is_complete=end <= data_through)
        .with_columns(
            ratio(count, people).alias(f"{count}_per_{one}")
            for count in ("events", "sessions")
            for people, one in (("active_users", "active_user"), ("customers", "customer"))
        )
        .select(list(dtypes(EngagementFrequency)))
    )


def _people(lifecycle: pl.LazyFrame) -> pl.LazyFrame:
    """Active people per period, and everybody first seen up to its end."""
    everybody = lifecycle.filter(pl.col("dimension") == ALL, pl.col("grain").is_in([WEEK, MONTH]))
    seen = pl.col("new_users").cum_sum().over("grain", order_by="period_start")
    return everybody.select(*_KEY, "active_users", customers=seen)


def _events(
    user_days: pl.LazyFrame, grain: str, week_start: str, data_through: date
) -> pl.LazyFrame:
    start = period_start(pl.col("event_date"), grain, week_start)
    return (
        user_days.filter(pl.col("event_date") <= data_through)
        .group_by(start.alias("period_start"))
        .agg(events=pl.col("active_events").sum())
        .select(pl.lit(grain).alias("grain"), "period_start", "events")
    )
