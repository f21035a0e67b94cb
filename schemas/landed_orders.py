"""The contract of ``orders``, and its rows as they were received."""

import polars as pl

from schemas.base import MOST_MONEY, Money, Table, Timestamp, column, table, timestamp
from schemas.provenance import LandedOnce


@table(
    grain="one row per order line",
    key=["order_id", "line_id", "kind"],
    published=False,
)
class OrderContract(Table):
    """What a row of the source ``orders`` brings, after its mapping."""

    order_id: pl.String = column("Identity of the order")
    line_id: pl.String = column("Line of the order; empty where orders are not divided")
    customer_id: pl.String = column("Customer who ordered")
    ordered_ts: Timestamp = timestamp("When it was ordered, or refunded")
    amount: Money = column(
        "Amount of the line, in its currency; of a refund either sign",
        ge=-MOST_MONEY,
        le=MOST_MONEY,
    )
    currency: pl.String = column("ISO 4217 code of the currency", str_matches="^[A-Z]{3}$")
    kind: pl.String = column("purchase or refund", isin=["purchase", "refund"])
    channel: pl.String = column("Marketing channel of the order", nullable=True)
    campaign: pl.String = column("Campaign of the order", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    published=False,
)
class LandedOrders(LandedOnce, OrderContract):
    """Accepted rows of the source ``orders``, as received."""
