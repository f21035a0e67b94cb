"""The contract of ``customers``, and its rows as they were received."""

import polars as pl

from schemas.base import Table, Timestamp, column, table, timestamp
from schemas.provenance import Landed


@table(
    grain="one row per customer and state of it",
    key=["customer_id"],
    published=False,
)
class CustomerContract(Table):
    """What a row of the source ``customers`` brings, after its mapping."""

    customer_id: pl.String = column("Identity of the customer")
    user_id: pl.String = column(
        "The person in events, where it differs from customer_id", nullable=True
    )
    created_ts: Timestamp = timestamp("When the customer was created", nullable=True)
    country: pl.String = column("Country of the customer", nullable=True)
    segment: pl.String = column("Segment that the company gives the customer", nullable=True)
    plan: pl.String = column(
        "Plan of the customer, where there are no subscriptions", nullable=True
    )
    is_staff: pl.Boolean = column("The customer works for the company", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    published=False,
)
class LandedCustomers(Landed, CustomerContract):
    """Accepted rows of the source ``customers``, as received."""
