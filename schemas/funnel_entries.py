"""Spine: who entered a funnel on a day, and how far they came."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per day of entry, funnel, person and step that they reached",
    key=["entry_date", "funnel", "user_id", "step"],
    slice_by="entry_date",
    published=False,
)
class FunnelEntries(Table):
    """A person enters a funnel once a day, with the day's first event of the first step.

    A later step is reached with the earliest event of it that comes after the event with which
    the step before was reached, by event_ts, then event_id, and not more than ``window_hours``
    after the entry. What happens after the horizon is here too; readers stop at theirs.
    """

    entry_date: pl.Date = column("Day of the first step in the reporting time zone")
    funnel: pl.String = column("Name from the setting funnels")
    user_id: pl.String = column("Person")
    step: pl.Int64 = column("Step that was reached, from 1", ge=1)
    reached_date: pl.Date = column("Day on which it was reached")
    microseconds_from_previous: pl.Int64 = column(
        "Time since the step before was reached; null for the first",
        unit="microseconds",
        nullable=True,
        ge=0,
    )
