"""What is counted of the sessions of a day, week or month."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share

COUNT_RULES = (
    (
        "visitors is not new_visitors + returning_visitors",
        pl.col("visitors") == pl.sum_horizontal("new_visitors", "returning_visitors"),
    ),
    ("there are more visitors than sessions", pl.col("visitors") <= pl.col("sessions")),
    (
        "more sessions bounced than had a page view",
        pl.col("bounced_sessions") <= pl.col("page_view_sessions"),
    ),
)


class SessionCounts(Table):
    """Counts over the sessions that start in a period.

    A session is in the segment of its first event that says it, and so is its visitor: who had
    sessions in several segments counts in each. New is judged within the segment's own history.
    """

    sessions: pl.Int64 = count("Sessions that start in the period", unit="sessions")
    visitors: pl.Int64 = count(
        "People with a session that starts in the period", unit="people", warning=DO_NOT_SUM_DAYS
    )
    new_visitors: pl.Int64 = count(
        "People whose first session in the segment starts in the period", unit="people"
    )
    returning_visitors: pl.Int64 = count(
        "Visitors who had a session in the segment before the period",
        unit="people",
        formula="visitors - new_visitors",
        warning=DO_NOT_SUM_DAYS,
    )
    new_visitor_share: pl.Float64 = share(
        "Share of the visitors who are new", formula="new_visitors / visitors"
    )
    page_views: pl.Int64 = count("Page views of the sessions")
    pages_per_session: pl.Float64 = column(
        "Page views of the average session; sessions without a page view count",
        unit="page views",
        formula="page_views / sessions",
        nullable=True,
        ge=0.0,
    )
    mean_session_seconds: pl.Float64 = column(
        "Duration of the average session",
        unit="seconds",
        formula="time_spent_seconds / sessions",
        nullable=True,
        ge=0.0,
    )
    median_session_seconds: pl.Float64 = column(
        "Duration of the middle session; of the two middle ones the mean",
        unit="seconds",
        nullable=True,
        ge=0.0,
    )
    time_spent_seconds: pl.Float64 = column(
        "Durations of the sessions, summed", unit="seconds", ge=0.0
    )
    page_view_sessions: pl.Int64 = count(
        "Sessions in which any page was viewed: what bounce_rate is a share of", unit="sessions"
    )
    bounced_sessions: pl.Int64 = count("Sessions with exactly one page view", unit="sessions")
    bounce_rate: pl.Float64 = share(
        "Share of the sessions with a page view that have just one",
        formula="bounced_sessions / page_view_sessions",
    )
    unengaged_sessions: pl.Int64 = count(
        "Sessions that are not engaged: see is_engaged of sessions", unit="sessions"
    )
    unengaged_rate: pl.Float64 = share(
        "Share of the sessions that are not engaged", formula="unengaged_sessions / sessions"
    )
