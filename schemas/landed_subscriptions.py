"""The contract of ``subscriptions``, and its rows as they were received."""

import polars as pl

from schemas.base import MOST_MONEY, Money, Table, Timestamp, column, table, timestamp
from schemas.provenance import Landed

SUBSCRIPTION_RULES = (
    (
        f"amount x quantity is above {MOST_MONEY}",
        (pl.col("amount").cast(pl.Float64) * pl.col("quantity") <= MOST_MONEY).fill_null(True),
    ),
)


@table(
    grain="one row per subscription, start and state of it",
    key=["subscription_id", "started_ts"],
    rules=SUBSCRIPTION_RULES,
    published=False,
)
class SubscriptionContract(Table):
    """What a row of the source ``subscriptions`` brings, after its mapping."""

    subscription_id: pl.String = column("Identity of the subscription")
    customer_id: pl.String = column("Customer who subscribes")
    plan: pl.String = column("Plan that is subscribed to")
    amount: Money = column("Price of one unit for one interval, in its currency", ge=0)
    currency: pl.String = column("ISO 4217 code of the currency", str_matches="^[A-Z]{3}$")
    interval: pl.String = column(
        "Unit of the billing interval", isin=["day", "week", "month", "year"]
    )
    interval_count: pl.Int64 = column("Units in one billing interval", ge=1, le=3650)
    quantity: pl.Int64 = column("Units subscribed to", ge=0, le=1_000_000_000)
    status: pl.String = column(
        "State of the subscription", isin=["trialing", "active", "past_due", "paused", "canceled"]
    )
    started_ts: Timestamp = timestamp("When this period at this price begins")
    ended_ts: Timestamp = timestamp("When it ended; excluded", nullable=True)
    trial_end_ts: Timestamp = timestamp("When the free trial ends; excluded", nullable=True)
    cancel_at_ts: Timestamp = timestamp("When a cancellation takes effect; excluded", nullable=True)
    updated_ts: Timestamp = timestamp("When the source last changed the row", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    rules=SUBSCRIPTION_RULES,
    published=False,
)
class LandedSubscriptions(Landed, SubscriptionContract):
    """Accepted rows of the source ``subscriptions``, as received."""
