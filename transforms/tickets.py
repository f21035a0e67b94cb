"""Fact: states of tickets, with what became of each."""

import polars as pl

from schemas.base import dtypes
from schemas.tickets import Tickets
from transforms.fates import latest


def tickets(landed_tickets: pl.LazyFrame) -> pl.LazyFrame:
    """Every state of every ticket that was received; the one updated last counts."""
    return latest(landed_tickets, ["ticket_id"], "updated_ts").select(*dtypes(Tickets))
