"""The contract of ``tickets``, and its rows as they were received."""

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp
from schemas.provenance import Landed


@table(
    grain="one row per ticket and state of it",
    key=["ticket_id"],
    published=False,
)
class TicketContract(Table):
    """What a row of the source ``tickets`` brings, after its mapping."""

    ticket_id: pl.String = column("Identity of the ticket")
    customer_id: pl.String = column("Customer who asked", nullable=True)
    channel: pl.String = column("Channel in which it was opened", nullable=True)
    tier: pl.String = column("Tier of support", nullable=True)
    opened_ts: Timestamp = timestamp("When it was opened")
    first_reply_ts: Timestamp = timestamp("When it was first replied to", nullable=True)
    resolved_ts: Timestamp = timestamp("When it was last resolved", nullable=True)
    closed_ts: Timestamp = timestamp("When it was closed", nullable=True)
    reopened_count: pl.Int64 = count("How often it was reopened", nullable=True)
    updated_ts: Timestamp = timestamp("When the source last changed the row", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    published=False,
)
class LandedTickets(Landed, TicketContract):
    """Accepted rows of the source ``tickets``, as received."""
