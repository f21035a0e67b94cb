"""Costs of campaigns in the reporting currency."""

import polars as pl

from transforms.fates import ARRIVAL, AWAITING_RATE, DUPLICATE, latest
from transforms.money import divided, from_units, units, with_rate


def campaign_costs(
    landed_campaign_costs: pl.LazyFrame,
    exchange_rates: pl.LazyFrame,
    *,
    currency: str,
    ecb_rates: pl.DataFrame,
) -> pl.LazyFrame:
    """Every landed row with its fate: of one day, channel and campaign the latest row counts."""
    judged = latest(landed_campaign_costs, ["event_date", "channel", "campaign"], None)
    rated = with_rate(judged, exchange_rates, ecb_rates, currency=currency)
    number = units(pl.col("cost")) * pl.col("rate_base")
    cost = from_units(divided(number, pl.col("rate_units")))
    is_awaiting = cost.is_null() & (pl.col("fate") != DUPLICATE)
    return rated.select(
        *ARRIVAL,
        pl.when(is_awaiting).then(pl.lit(AWAITING_RATE)).otherwise("fate").alias("fate"),
        "event_date",
        "channel",
        "campaign",
        cost.alias("cost_amount"),
        "currency",
        "impressions",
        "clicks",
    )
