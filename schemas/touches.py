"""Spine: the sessions that something led to, by day."""

import polars as pl

from schemas.base import Table, Timestamp, column, table, timestamp


@table(
    grain="one row per session that is not direct",
    key=["session_id"],
    slice_by="date",
    order=["date", "user_id", "started_ts", "session_id"],
    published=False,
)
class Touches(Table):
    """Sessions with a known source: what a later direct session of the person is attributed to.

    A session is direct where its channel is ``Direct``, in upper or lower case.
    """

    date: pl.Date = column("Day of the session's start in the reporting time zone")
    user_id: pl.String = column("Person who had the session")
    started_ts: Timestamp = timestamp("First event of the session")
    session_id: pl.String = column("Session, as in sessions")
    channel: pl.String = column("The session's own channel")
    source: pl.String = column("Where the visit came from")
    medium: pl.String = column("By what means")
    campaign: pl.String = column("Campaign that it belongs to", nullable=True)
