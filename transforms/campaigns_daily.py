"""Campaigns by day: how they were seen, what they cost, what they brought."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.campaigns_daily import CampaignsDaily
from transforms.campaigns import named
from transforms.division import ratio
from transforms.fates import counted
from transforms.money import MONEY, each, total
from transforms.purchases import first_purchases

_KEY = ["date", "channel", "campaign"]
_COUNTS = ["impressions", "clicks", "clicking_users", "new_customers"]


def campaigns_daily(
    ad_days: pl.LazyFrame,
    campaign_costs: pl.LazyFrame,
    orders: pl.LazyFrame,
    *,
    data_through: date,
) -> pl.LazyFrame:
    """Every day, channel and campaign with an ad event, a cost or an order, up to the horizon.

    Looks at all purchases for the first one of each customer.
    """
    named_orders = counted(orders).with_columns(named("channel"), named("campaign"))
    by_day = [pl.col("event_date").alias("date"), pl.col("channel"), pl.col("campaign")]
    parts = [
        ad_days.rename({"event_date": "date"}),
        named_orders.group_by(by_day).agg(revenue_amount=total(pl.col("amount"))),
        first_purchases(named_orders).group_by(by_day).agg(new_customers=pl.len().cast(pl.Int64)),
    ]
    seen = (
        pl.concat(parts, how="diagonal")
        .group_by(_KEY)
        .agg(pl.col(_COUNTS).sum(), total(pl.col("revenue_amount")))
    )
    return (
        seen.join(_told(campaign_costs), on=_KEY, how="full", coalesce=True)
        .filter(pl.col("date") <= data_through)
        .with_columns(
            pl.col(_COUNTS).fill_null(0), pl.col("revenue_amount").fill_null(pl.lit(0, MONEY))
        )
        .with_columns(**_known())
        .with_columns(
            click_through_rate=ratio("clicks", "impressions"),
            user_click_through_rate=ratio("clicking_users", "impressions"),
            acquisition_cost_amount=each("cost_amount", "new_customers"),
            return_on_cost_ratio=ratio("revenue_amount", "cost_amount"),
            is_complete=pl.col("date") <= data_through,
        )
        .select(*dtypes(CampaignsDaily))
    )


def _told(campaign_costs: pl.LazyFrame) -> pl.LazyFrame:
    """What costs tell: of a day, channel and campaign one row counts."""
    return counted(campaign_costs).select(
        pl.col("event_date").alias("date"),
        "channel",
        "campaign",
        "cost_amount",
        told_impressions="impressions",
        told_clicks="clicks",
    )


def _known() -> dict[str, pl.Expr]:
    """Impressions and clicks of costs, else of events; who clicked only where events can tell."""
    is_untold = (pl.col("told_clicks") > 0) & (pl.col("clicks") == 0)
    return {
        "impressions": pl.coalesce("told_impressions", "impressions"),
        "clicks": pl.coalesce("told_clicks", "clicks"),
        "clicking_users": pl.when(~is_untold.fill_null(False)).then("clicking_users"),
    }
