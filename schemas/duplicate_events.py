"""Landed events that are another event's twin and do not count."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per landed row that lost to an earlier received one",
    key=["event_date", "landing_date", "file", "line", "item"],
    slice_by="event_date",
    published=False,
)
class DuplicateEvents(Table):
    """Of rows with one event id, the first received counts; here are the others.

    Twins lie on the same event day, or on event days at most ``duplicate_days`` apart.
    """

    event_date: pl.Date = column("Day of the event in the reporting time zone")
    landing_date: pl.Date = column("Day on which the file arrived")
    file: pl.String = column("File within its landing date")
    line: pl.Int64 = column("Line of the file", ge=1)
    item: pl.Int64 = column("Number among the rows that a mapping made of one raw row", ge=1)
    event_id: pl.String = column("Identity that the rows share")
    differs: pl.Boolean = column("Says something else than the first received within reach")
