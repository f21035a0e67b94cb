"""Visits, one row each."""

import polars as pl

from schemas.base import column, table
from schemas.session_days import SESSION_RULES, SessionFacts


@table(
    grain="one row per session",
    key=["session_id"],
    slice_by="date",
    order=["date", "user_id", "started_ts", "session_id"],
    rules=SESSION_RULES,
)
class Sessions(SessionFacts):
    """Visits: what a person did without a longer pause.

    A session is one person's events with no gap longer than ``session_timeout_minutes`` (30); it is
    not cut at midnight but after ``session_max_hours`` (24), and belongs to the day on which it
    starts. E-mail deliveries and the like start no session.

    Channel, source, medium and campaign are the session's own: what led to this very visit. What a
    direct one owes to an earlier visit stands in traffic_sources_daily.
    """

    is_new_visitor: pl.Boolean = column("It is the person's first session ever")
