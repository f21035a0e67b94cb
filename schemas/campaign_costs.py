"""Costs of campaigns in the reporting currency."""

import polars as pl

from schemas.base import Money, column, count, money, table
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["event_date", "channel", "campaign", "landing_date", "file", "line", "item"],
    published=False,
)
class CampaignCosts(Fate):
    """Costs by day, channel and campaign; of one of these the latest row counts."""

    event_date: pl.Date = column("Day on which it was spent")
    channel: pl.String = column("Marketing channel")
    campaign: pl.String = column("Name of the campaign")
    cost_amount: Money = money("Amount spent; null without a rate", nullable=True)
    currency: pl.String = column("ISO 4217 code of the currency in which it was spent")
    impressions: pl.Int64 = count("Impressions that the platform reports", nullable=True)
    clicks: pl.Int64 = count("Clicks that the platform reports", nullable=True)
