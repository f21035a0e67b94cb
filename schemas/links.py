"""Where an anonymous id was seen together with a user."""

import polars as pl

from schemas.base import Table, Timestamp, column, table, timestamp


@table(
    grain="one row per anonymous id and run of links to one user within a day",
    key=["event_date", "anonymous_id", "first_ts", "last_ts", "user_id"],
    slice_by="event_date",
    published=False,
)
class Links(Table):
    """Runs of events that carried both ids, in the order of time, ties by event id."""

    event_date: pl.Date = column("Day of the events in the reporting time zone")
    anonymous_id: pl.String = column("Device or browser")
    user_id: pl.String = column("User it was linked to")
    first_ts: Timestamp = timestamp("First event of the run")
    last_ts: Timestamp = timestamp("Last event of the run")
    is_staff: pl.Boolean = column("The user works for the company")
