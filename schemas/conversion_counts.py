"""What is counted of the goals reached in a day, week or month."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share

COUNT_RULES = (
    (
        "more people convert than visit",
        pl.col("converting_users") <= pl.col("visitors"),
    ),
    (
        "more sessions convert than there are",
        pl.col("converting_sessions") <= pl.col("sessions"),
    ),
    (
        "more people than sessions convert, or more sessions than there are conversions",
        pl.col("converting_sessions").is_between(pl.col("converting_users"), "conversions"),
    ),
)


class ConversionCounts(Table):
    """Counts over the sessions that start in a period, by the goal that they reach.

    A goal is reached by any of its events within a session, and counts in the period in which the
    session starts. Events that are part of no session (the deliveries and opens of mails, ad
    impressions) reach none. Segments, sessions and visitors are those of sessions_daily and
    sessions_periodic: the channel is the session's own, without attribution.
    """

    goal: pl.String = column("Name of the goal, from the setting goals")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")
    conversions: pl.Int64 = count("Events that reach the goal, in sessions", unit="events")
    converting_users: pl.Int64 = count(
        "People with a session that reaches the goal", unit="people", warning=DO_NOT_SUM_DAYS
    )
    visitors: pl.Int64 = count(
        "People with a session that starts in the period", unit="people", warning=DO_NOT_SUM_DAYS
    )
    user_conversion_rate: pl.Float64 = share(
        "Share of the visitors who reach the goal", formula="converting_users / visitors"
    )
    converting_sessions: pl.Int64 = count("Sessions that reach the goal", unit="sessions")
    sessions: pl.Int64 = count("Sessions that start in the period", unit="sessions")
    session_conversion_rate: pl.Float64 = share(
        "Share of the sessions that reach the goal", formula="converting_sessions / sessions"
    )
