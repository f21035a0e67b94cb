"""Fact: states of tickets, with what became of each."""

import polars as pl

from schemas.base import dtypes
from schemas.tickets import Tickets
from transforms.fates import excluding_staff, latest


def tickets(landed_tickets: pl.LazyFrame, staff: pl.LazyFrame) -> pl.LazyFrame:
    """Every state of every ticket that was received; the one updated last counts, staff's never."""
    rows = latest(landed_tickets, ["ticket_id"], "updated_ts")
    return excluding_staff(rows, staff, ["customer_id"]).select(*dtypes(Tickets))
