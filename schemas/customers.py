"""Customers as the company knows them."""

import polars as pl

from schemas.base import Timestamp, column, table, timestamp
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    order=["customer_id", "landing_date", "file", "line", "item"],
    published=False,
)
class Customers(Fate):
    """What is known of customers; of one customer the latest row counts."""

    customer_id: pl.String = column("Identity of the customer")
    user_id: pl.String = column("The customer as a person in events")
    created_ts: Timestamp = timestamp("When the customer was created", nullable=True)
    country: pl.String = column("Country of the customer", nullable=True)
    segment: pl.String = column("Segment that the company gives the customer", nullable=True)
    plan: pl.String = column("Plan of the customer where there are no subscriptions", nullable=True)
    is_staff: pl.Boolean = column("The customer works for the company")
