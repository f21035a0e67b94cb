"""Spine: events that are a step of a funnel."""

import polars as pl

from schemas.base import Table, Timestamp, column, table, timestamp


@table(
    grain="one row per day, funnel, step and event that can be it",
    key=["event_date", "funnel", "step", "event_id"],
    slice_by="event_date",
    order=["event_date", "funnel", "step", "user_id", "event_ts", "event_id"],
    published=False,
)
class FunnelEvents(Table):
    """Of a funnel's first step only each person's first event of the day, of later steps all.

    An event that is several steps, or a step of several funnels, has a row for each.
    """

    event_date: pl.Date = column("Day in the reporting time zone")
    funnel: pl.String = column("Name from the setting funnels")
    step: pl.Int64 = column("Which step of the funnel the event can be, from 1", ge=1)
    user_id: pl.String = column("Person: the user, or an anonymous id that no user is linked to")
    event_ts: Timestamp = timestamp("When it happened")
    event_id: pl.String = column("Event; of several at one instant the smaller id comes first")
