"""Events that count: each once, nobody's who is left out, filed under the day they happened."""

import polars as pl

from schemas.base import column, promise_of, table
from schemas.landed_events import EventContract


@table(
    grain="one row per event",
    key=["event_date", "event_id"],
    slice_by="event_date",
    order=["event_date", "user_id", "anonymous_id", "event_ts", "event_id"],
    rules=promise_of(EventContract).rules,
    published=False,
)
class Events(EventContract):
    """The events of a day, sorted by person and time."""

    extra: pl.String = column(
        "Columns of the file that the contract does not name, as JSON", nullable=True
    )
    event_date: pl.Date = column("Day of the event in the reporting time zone")
    landing_date: pl.Date = column("Day on which the event arrived")
