"""Orders in the reporting currency."""

import polars as pl

from schemas.base import Money, Timestamp, column, money, table, timestamp
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=[
        "event_date",
        "customer_id",
        "order_id",
        "line_id",
        "kind",
        "landing_date",
        "file",
        "line",
        "item",
    ],
    rules=[
        (
            "amount is null though the row does not await a rate",
            ((pl.col("fate") == "awaiting_rate") == pl.col("amount").is_null())
            | pl.col("fate").is_in(["duplicate", "excluded"]),
        )
    ],
    published=False,
)
class Orders(Fate):
    """Lines of orders and refunds; of one order, line and kind the first received counts."""

    event_date: pl.Date = column("Day of the order in the reporting time zone")
    order_id: pl.String = column("Identity of the order")
    line_id: pl.String = column("Line of the order; empty where orders are not divided")
    kind: pl.String = column("purchase or refund", isin=["purchase", "refund"])
    customer_id: pl.String = column("Customer who ordered")
    ordered_ts: Timestamp = timestamp("When it was ordered, or refunded")
    amount: Money = money(
        "Amount of the line at the rate of its day, refunds negative; null without a rate",
        nullable=True,
    )
    original_amount: Money = column("Amount of the line in its own currency, as landed")
    currency: pl.String = column("ISO 4217 code of the currency of original_amount")
    channel: pl.String = column("Marketing channel of the order", nullable=True)
    campaign: pl.String = column("Campaign of the order", nullable=True)
