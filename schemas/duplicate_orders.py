"""Landed order lines that do not count because an earlier received one has their identity."""

import polars as pl

from schemas.base import column, table
from schemas.provenance import Arrived


@table(
    grain="one row per order line that does not count",
    key=["event_date", "landing_date", "file", "line", "item"],
    slice_by="event_date",
    published=False,
)
class DuplicateOrders(Arrived):
    """Of rows with one order, line and kind, the first received counts; here are the others."""

    event_date: pl.Date = column("Day of the order in the reporting time zone")
    differs: pl.Boolean = column("Says something else than the row that counts")
