"""Spine: what each rule left out of a day."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, table


@table(
    grain="one row per day and rule that left something out",
    key=["event_date", "rule"],
    slice_by="event_date",
    published=False,
)
class ExcludedDays(Table):
    """Events of ``excluded_events``, and under ``staff`` those that are stitched to staff, too."""

    event_date: pl.Date = column("Day of the events in the reporting time zone")
    rule: pl.String = column("flag, user_agent, staff, or the name of a rule of the settings")
    events: pl.Int64 = count("Events that the rule left out", unit="events")
    users: pl.Int64 = count(
        "Users who did them; where no user is known, anonymous ids", warning=DO_NOT_SUM_DAYS
    )
