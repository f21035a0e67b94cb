"""Landed events of machines, of staff and of test traffic, which do not count."""

import polars as pl

from schemas.base import Table, Timestamp, column, table, timestamp


@table(
    grain="one row per landed row that is no duplicate and is left out",
    key=["event_date", "landing_date", "file", "line", "item"],
    slice_by="event_date",
    published=False,
)
class ExcludedEvents(Table):
    """What a rule leaves out of every table, once, and which rule it is.

    ``flag``: the source takes the event for a machine's; ``user_agent``: the list of crawlers
    does; ``staff``: its user works for the company; else the name of a rule of the setting
    ``excluded_traffic``. Where several apply it is the first in this order. Events that are only
    stitched to staff stay in ``events``, and are left out where people are told.
    """

    event_date: pl.Date = column("Day of the event in the reporting time zone")
    landing_date: pl.Date = column("Day on which the file arrived")
    file: pl.String = column("File within its landing date")
    line: pl.Int64 = column("Line of the file", ge=1)
    item: pl.Int64 = column("Number among the rows that a mapping made of one raw row", ge=1)
    rule: pl.String = column("flag, user_agent, staff, or the name of a rule of the settings")
    event_id: pl.String = column("Identity of the event")
    event_ts: Timestamp = timestamp("When it happened")
    user_id: pl.String = column("Known person who did it", nullable=True)
    anonymous_id: pl.String = column("Device or browser that did it", nullable=True)
