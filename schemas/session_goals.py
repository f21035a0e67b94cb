"""Spine: which goals the sessions of a day reached."""

import polars as pl

from schemas.base import Table, column, count, table


@table(
    grain="one row per session and goal that it reached",
    key=["session_id", "goal"],
    slice_by="date",
    order=["date", "user_id", "session_id", "goal"],
    published=False,
)
class SessionGoals(Table):
    """Goals of the setting ``goals`` that were reached within sessions.

    Events that are part of no session, such as the deliveries and opens of mails, reach no goal.
    """

    date: pl.Date = column("Day of the session's start in the reporting time zone")
    user_id: pl.String = column("Person who had the session")
    session_id: pl.String = column("Session, as in sessions")
    goal: pl.String = column("Name of the goal")
    conversions: pl.Int64 = count("Events of the session that reach it", unit="events")
    segments: pl.String = column("The session's values of the event dimensions, joined by U+001F")
