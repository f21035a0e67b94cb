"""The contract of ``campaign_costs``, and its rows as they were received."""

import polars as pl

from schemas.base import MOST_MONEY, Money, Table, column, count, table
from schemas.provenance import Landed


@table(
    grain="one row per day, channel and campaign",
    key=["cost_day", "channel", "campaign"],
    published=False,
)
class CampaignCostContract(Table):
    """What a row of the source ``campaign_costs`` brings, after its mapping."""

    cost_day: pl.Date = column("Day on which it was spent")
    channel: pl.String = column("Marketing channel")
    campaign: pl.String = column("Name of the campaign")
    cost: Money = column("Amount spent, in its currency", ge=-MOST_MONEY, le=MOST_MONEY)
    currency: pl.String = column("ISO 4217 code of the currency", str_matches="^[A-Z]{3}$")
    impressions: pl.Int64 = count("Impressions that the platform reports", nullable=True)
    clicks: pl.Int64 = count("Clicks that the platform reports", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    published=False,
)
class LandedCampaignCosts(Landed, CampaignCostContract):
    """Accepted rows of the source ``campaign_costs``, as received."""
