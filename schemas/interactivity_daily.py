"""Interactivity: clicks, shares, comments and the like by day."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, table


@table(
    grain="one row per day and action",
    key=["date", "action"],
    slice_by="date",
    warnings=[DO_NOT_SUM_DAYS, "Sessions stand in the row of every action: never sum them up."],
    rules=[("there are more users than actions", pl.col("users") <= pl.col("actions"))],
)
class InteractivityDaily(Table):
    """What people do beside looking, as the setting ``interactions`` names it.

    Every day of an action stands here, from the first on which it was done to ``data_through``.
    Actions go by the day of the event, sessions by the day of their start: an action after midnight
    can stand beside a session that is counted on the day before.
    """

    date: pl.Date = column("Day in the reporting time zone")
    action: pl.String = column("What the setting interactions makes of the event's name")
    actions: pl.Int64 = count("Events of the action on the day")
    users: pl.Int64 = count(
        "People who did it; never sum them over actions either",
        unit="people",
        warning=DO_NOT_SUM_DAYS,
    )
    sessions: pl.Int64 = count(
        "All sessions that start on the day, with or without the action", unit="sessions"
    )
    actions_per_session: pl.Float64 = column(
        "How often it was done in the average session of the day; null without sessions",
        unit="count",
        formula="actions / sessions",
        nullable=True,
        ge=0.0,
    )
    is_complete: pl.Boolean = column("The day is not after data_through")
