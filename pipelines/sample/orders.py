"""Orders: buyers who come back at their own pace until they stop, and some of whom send back."""

from typing import Any

import polars as pl

from pipelines.sample.clock import DAY, Clock, day_of, month_of
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export
from pipelines.sample.rates import WITHOUT_RATES, money_text, price, reported, with_rate

_BUYER_SHARE = 0.5
_MOST_ORDERS, _MOST_LINES = 24, 3
_PACES: dict[str | int | None, int] = {7: 8, 15: 22, 35: 40, 80: 30}
_LEAVES_SHARE = 0.11
_LINES: dict[str | int | None, int] = {1: 60, 2: 28, 3: 12}
_ENDINGS: dict[str | int | None, int] = {0: 30, 50: 20, 90: 30, 99: 20}
_REFUND_SHARE = 0.04
_UNPRICED_SHARE = 0.01
_CHANNELS: dict[str | None, int] = {
    "Organic Search": 30,
    "Direct": 25,
    "Paid Search": 20,
    "Email": 15,
    "Paid Social": 10,
}
_CAMPAIGNS: dict[str | None, int] = {"spring_sale": 5, "launch": 3, None: 20}
_INACTIVITY_DAYS = 90


def order_rows(
    everybody: pl.DataFrame, rates_in_force: pl.DataFrame, clock: Clock, dice: Dice
) -> Export:
    """Lines of orders and refunds, and what they come to in the reporting currency."""
    lines = _lines(_orders(everybody, clock, dice), dice)
    both = pl.concat([lines, _refunds(lines, clock, dice)])
    order = pl.col("order_key")
    rows = derived(
        with_rate(both, rates_in_force, "ordered_ts"),
        pl.col("rate_units").is_null().alias("awaits"),
        (reported(pl.col("cents").abs()) * pl.col("sign")).alias("units"),
        dice.pick(_CHANNELS, order, "order's channel").alias("channel"),
        dice.pick(_CAMPAIGNS, order, "order's campaign").alias("campaign"),
    )
    return Export(
        "orders",
        _as_sent(rows, dice),
        identity=("order_id", "line_id", "kind"),
        flaws={
            "currency_bad": {"currency": pl.lit("EURO")},
            "order_missing": {"order_id": None},
            "customer_missing": {"customer_id": None},
            "kind_bad": {"kind": pl.lit("gift")},
            "future": {"ordered_ts": pl.lit(clock.end + 40 * DAY)},
        },
        truths=_truths(rows, clock),
    )


def _orders(everybody: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    person, key = pl.col("person"), pl.col("order_key")
    buyers = derived(
        everybody,
        dice.chance(_BUYER_SHARE, person, "buys").alias("buys"),
        dice.pick(_PACES, person, "pace").cast(pl.Int64).alias("pace"),
    ).filter("buys")
    slots = pl.lit(list(range(_MOST_ORDERS)), dtype=pl.List(pl.Int64)).alias("nth")
    orders = buyers.with_columns(slots).explode("nth")
    orders = orders.with_columns((person * _MOST_ORDERS + pl.col("nth")).alias("order_key"))
    gap = dice.below(2_000, key, "pause") * pl.col("pace") * DAY // 1_000 + 600
    left = dice.chance(_LEAVES_SHARE, key, "leaves").cast(pl.Int64)
    orders = derived(orders, gap.alias("gap"), left.alias("left"))
    orders = orders.with_columns(
        (pl.col("since") + pl.col("gap").cum_sum().over("person")).alias("ordered_ts"),
        (pl.col("left").cum_sum().over("person") - pl.col("left")).alias("left_before"),
    )
    return orders.filter(pl.col("left_before") == 0, pl.col("ordered_ts") < clock.end).with_columns(
        _currency(clock, dice).alias("currency")
    )


def _currency(clock: Clock, dice: Dice) -> pl.Expr:
    """The customer's; in history some paid in a currency that nobody has a rate for."""
    is_old = pl.col("ordered_ts") < clock.first * DAY
    unpriced = is_old & dice.chance(_UNPRICED_SHARE, pl.col("order_key"), "without rates")
    return pl.when(unpriced).then(pl.lit(WITHOUT_RATES)).otherwise("currency")


def _lines(orders: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """One row per line; the key of a line leaves room for its refund."""
    order, key = pl.col("order_key"), pl.col("key")
    numbered = derived(orders, dice.pick(_LINES, order, "lines").cast(pl.Int64).alias("lines"))
    lines = numbered.with_columns(
        pl.int_ranges(1, pl.col("lines") + 1, dtype=pl.Int64).alias("line")
    ).explode("line")
    lines = lines.with_columns((2 * (order * (_MOST_LINES + 1) + pl.col("line"))).alias("key"))
    euros = 5 + dice.below(60, key, "price") * (1 + dice.below(3, key, "dearer"))
    cents = euros * 100 + dice.pick(_ENDINGS, key, "ending").cast(pl.Int64)
    return derived(
        lines,
        cents.alias("cents"),
        pl.lit(1, dtype=pl.Int64).alias("sign"),
        pl.concat_str(pl.lit("o"), order.cast(pl.String).str.zfill(8)).alias("order_id"),
        pl.when(pl.col("lines") > 1).then(pl.col("line").cast(pl.String)).alias("line_id"),
    )


def _refunds(lines: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """Some lines come back within three weeks, whole or half; the sign of the amount varies."""
    key = pl.col("key")
    back = pl.col("ordered_ts") + DAY * (2 + dice.below(19, key, "refunded when"))
    is_half, is_plain = dice.chance(0.3, key, "half"), dice.chance(0.5, key, "plain sign")
    cents = pl.when(is_half).then(pl.col("cents") // 2).otherwise("cents")
    refunds = derived(
        lines,
        dice.chance(_REFUND_SHARE, key, "refunded").alias("is_back"),
        back.alias("ordered_ts"),
        pl.when(is_plain).then(cents).otherwise(-cents).alias("cents"),
        pl.lit(-1, dtype=pl.Int64).alias("sign"),
        (key + 1).alias("key"),
    )
    wanted = refunds.filter("is_back", pl.col("ordered_ts") < clock.end)
    return wanted.select(lines.columns)


def _as_sent(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    order, is_refund = pl.col("order_key"), pl.col("sign") < 0
    return derived(
        rows,
        price(pl.col("cents")).alias("amount"),
        # Shops that know no refunds leave the kind out.
        pl.when(is_refund)
        .then(pl.lit("refund"))
        .when(dice.chance(0.8, pl.col("key"), "kind said"))
        .then(pl.lit("purchase"))
        .alias("kind"),
        pl.when(dice.chance(0.1, order, "coupon")).then(pl.lit("TIDE10")).alias("coupon"),
        pl.col("ordered_ts").alias("at"),
    ).select(
        "order_id",
        "line_id",
        "customer_id",
        "ordered_ts",
        "amount",
        "currency",
        "kind",
        "channel",
        "campaign",
        "coupon",
        "at",
        "key",
        "awaits",
    )


def _truths(rows: pl.DataFrame, clock: Clock) -> dict[str, Any]:
    known = rows.filter(~pl.col("awaits")).with_columns(
        month_of(pl.col("ordered_ts")).alias("month")
    )
    months = known.group_by("month").agg(**_sums()).sort("month")
    return {
        "total": _told(known.select(**_sums()).row(0, named=True)),
        "monthly": [_told(month) for month in months.iter_rows(named=True)],
        "customers_by_inactivity": _recent_buyers(known, clock),
        "new_customers": _new_customers(known),
    }


def _new_customers(known: pl.DataFrame) -> list[dict[str, Any]]:
    """Customers by the channel and campaign of their first order; null: of no campaign."""
    bought = known.filter(pl.col("sign") > 0).sort("ordered_ts", "order_key", "line")
    first = bought.unique("customer_id", keep="first", maintain_order=True)
    place = ["channel", "campaign"]
    counts = first.group_by(place).agg(pl.len().alias("customers"))
    return counts.sort(place, nulls_last=True).to_dicts()


def _sums() -> dict[str, pl.Expr]:
    bought = pl.col("sign") > 0
    return {
        "orders": pl.col("order_id").filter(bought).n_unique(),
        "purchase_lines": bought.sum(),
        "refund_lines": (~bought).sum(),
        "buyers": pl.col("customer_id").filter(bought).n_unique(),
        "purchase_amount": pl.col("units").filter(bought).sum(),
        "refund_amount": -pl.col("units").filter(~bought).sum(),
        "revenue_amount": pl.col("units").sum(),
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Amounts as text, for they are exact, and dates as JSON has them."""
    return {
        name: money_text(value)
        if name.endswith("_amount")
        else str(value)
        if name == "month"
        else value
        for name, value in row.items()
    }


def _recent_buyers(known: pl.DataFrame, clock: Clock) -> list[dict[str, Any]]:
    """Customers with a purchase in the ninety days up to each month's last day."""
    bought = known.filter(pl.col("sign") > 0).select(
        "customer_id", day_of(pl.col("ordered_ts")).alias("date")
    )
    found = []
    for month, end in clock.month_ends().iter_rows():
        age = (pl.lit(end) - pl.col("date")).dt.total_days()
        recent = bought.filter(age.is_between(0, _INACTIVITY_DAYS - 1))
        found.append({"month": str(month), "customers": recent["customer_id"].n_unique()})
    return found
