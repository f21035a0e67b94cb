"""Spine: when people reached a goal."""

import polars as pl

from schemas.base import Table, Timestamp, column, table, timestamp


@table(
    grain="one row per person and instant with an event of a goal",
    key=["event_date", "user_id", "event_ts"],
    slice_by="event_date",
    published=False,
)
class GoalDays(Table):
    """Instants at which a person did an event of any of the setting ``goals``, in sessions or not.

    Two goals reached at one instant are one row.
    """

    event_date: pl.Date = column("Day of the event in the reporting time zone")
    user_id: pl.String = column("Person: the user, or an anonymous id that no user is linked to")
    event_ts: Timestamp = timestamp("When a goal was reached")
