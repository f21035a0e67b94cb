"""Spine: how often people did something with what they saw, by day and action."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, table


@table(
    grain="one row per day and action that was done on it",
    key=["event_date", "action"],
    slice_by="event_date",
    published=False,
)
class InteractionDays(Table):
    """Empty where the setting ``interactions`` names no event."""

    event_date: pl.Date = column("Day in the reporting time zone")
    action: pl.String = column("What the setting interactions makes of the event's name")
    actions: pl.Int64 = count("Events of the action on the day")
    users: pl.Int64 = count("People who did it", unit="people", warning=DO_NOT_SUM_DAYS)
