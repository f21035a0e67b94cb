"""What campaigns cost, day by day; some figures are corrected three days later."""

from typing import Any

import polars as pl

from pipelines.sample.clock import DAY, HOUR, Clock, date_of, month_of
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export
from pipelines.sample.rates import money_text, price, reported, with_rate

_CAMPAIGNS = (
    ("Paid Search", "spring_sale", "EUR", 6_000),
    ("Paid Search", "launch", "EUR", 4_000),
    ("Paid Social", "launch", "USD", 5_000),
    ("Display", "spring_sale", "GBP", 2_500),
    ("Email", "newsletter", "EUR", 300),
)
_CORRECTED_SHARE, _CORRECTED_AFTER = 0.05, 3


def campaign_costs(rates_in_force: pl.DataFrame, clock: Clock, dice: Dice) -> Export:
    """Cost, impressions and clicks of every campaign and day, and the corrections."""
    rows, key = _first_figures(clock, dice), pl.col("key")
    corrected = rows.filter("is_corrected").with_columns(
        (pl.col("cents") * 11 // 10).alias("cents"),
        (pl.col("at") + _CORRECTED_AFTER * DAY).alias("at"),
        (key + 1).alias("key"),
    )
    known = pl.concat([rows, corrected]).filter(pl.col("at") < clock.end)
    return Export(
        "campaign_costs",
        _as_sent(known),
        identity=("cost_day", "channel", "campaign"),
        arrival_decides=True,
        flaws={"currency_bad": {"currency": pl.lit("EU")}, "campaign_missing": {"campaign": None}},
        truths=_totals(known, rates_in_force),
    )


def _first_figures(clock: Clock, dice: Dice) -> pl.DataFrame:
    days = pl.select(pl.int_range(clock.history, clock.end // DAY, dtype=pl.Int64).alias("on"))
    each = [
        days.with_columns(
            pl.lit(channel).alias("channel"),
            pl.lit(campaign).alias("campaign"),
            pl.lit(currency).alias("currency"),
            pl.lit(cents, dtype=pl.Int64).alias("usual"),
            (2 * (pl.col("on") * len(_CAMPAIGNS) + place)).alias("key"),
        )
        for place, (channel, campaign, currency, cents) in enumerate(_CAMPAIGNS)
    ]
    key = pl.col("key")
    rows = derived(
        pl.concat(each),
        (pl.col("usual") * (60 + dice.below(80, key, "cost")) // 100).alias("cents"),
        (pl.col("usual") * (80 + dice.below(60, key, "shown")) // 100).alias("impressions"),
        dice.chance(_CORRECTED_SHARE, key, "corrected").alias("is_corrected"),
        (pl.col("on") * DAY + 22 * HOUR).alias("at"),
    )
    return rows.with_columns((pl.col("impressions") * 3 // 100).alias("clicks"))


def _as_sent(known: pl.DataFrame) -> pl.DataFrame:
    return known.sort("key").select(
        date_of(pl.col("on")).alias("cost_day"),
        "channel",
        "campaign",
        price(pl.col("cents")).alias("cost"),
        "currency",
        "impressions",
        "clicks",
        "at",
        "key",
    )


def _totals(known: pl.DataFrame, rates_in_force: pl.DataFrame) -> dict[str, Any]:
    """What the days come to in the reporting currency, with the figures that hold in the end."""
    hold = known.sort("key").group_by("on", "channel", "campaign", maintain_order=True).last()
    dated = hold.with_columns((pl.col("on") * DAY).alias("noted"))
    costs = with_rate(dated, rates_in_force, "noted").with_columns(
        reported(pl.col("cents")).alias("units"), month_of(pl.col("noted")).alias("month")
    )
    return {"total": _sums(costs, "channel", "campaign"), "monthly": _sums(costs, "month")}


def _sums(costs: pl.DataFrame, *by: str) -> list[dict[str, Any]]:
    sums = costs.group_by(by).agg(pl.col("units", "impressions", "clicks").sum()).sort(by)
    return [
        {
            **{name: str(row[name]) for name in by},
            "cost_amount": money_text(row["units"]),
            "impressions": row["impressions"],
            "clicks": row["clicks"],
        }
        for row in sums.iter_rows(named=True)
    ]
