"""Fact: every accepted row of subscriptions, with what became of it and when its MRR counts."""

import polars as pl

from schemas.base import Money, Timestamp, column, money, table, timestamp
from schemas.landed_subscriptions import SubscriptionContract
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    order=["subscription_id", "started_ts", "version_ts", "landing_date", "file", "line", "item"],
    rules=[
        (
            "mrr_from_date is not before mrr_until_date",
            pl.col("mrr_until_date").is_null()
            | (pl.col("mrr_from_date") < pl.col("mrr_until_date")),
        ),
        (
            "a row that does not count bears MRR",
            pl.col("mrr_from_date").is_null() | (pl.col("fate") == "counts"),
        ),
    ],
    published=False,
)
class Subscriptions(Fate, SubscriptionContract):
    """Versions of subscriptions. A stretch of days bears the MRR of one version of each."""

    version_ts: Timestamp = timestamp(
        "From when the version is known to hold: updated_ts, else noon of the landing date"
    )
    mrr_amount: Money = money(
        "Price per month while the version bears MRR; null for duplicates and without a rate",
        formula="quantity x amount per month / interval_count, rounded once, half to even",
        nullable=True,
        ge=0,
    )
    mrr_from_date: pl.Date = column(
        "First day at whose last instant the version bears its MRR; null where it never does",
        nullable=True,
    )
    mrr_until_date: pl.Date = column(
        "First day after it at whose last instant it does not; null while no end is known",
        nullable=True,
    )
