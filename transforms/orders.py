"""Orders in the reporting currency."""

import polars as pl

from transforms.fates import ARRIVAL, AWAITING_RATE, COUNTS, DUPLICATE, excluding_staff
from transforms.money import divided, from_units, units, with_rate


def orders(
    landed_orders: pl.LazyFrame,
    duplicate_orders: pl.LazyFrame,
    exchange_rates: pl.LazyFrame,
    staff: pl.LazyFrame,
    *,
    currency: str,
    ecb_rates: pl.DataFrame,
) -> pl.LazyFrame:
    """Every landed line with its fate and its netted amount.

    A refund counts negative whichever sign it came with. The amount is turned into the reporting
    currency at the rate of its day and rounded once, half to even, to four decimals. A line of
    staff is excluded, with a rate or without.
    """
    lost = duplicate_orders.select(*ARRIVAL, is_duplicate=pl.lit(True))
    rated = with_rate(landed_orders, exchange_rates, ecb_rates, currency=currency)
    netted = pl.when(pl.col("kind") == "refund").then(-pl.col("amount").abs())
    number = units(netted.otherwise(pl.col("amount"))) * pl.col("rate_base")
    amount = from_units(divided(number, pl.col("rate_units")))
    fate = (
        pl.when(pl.col("is_duplicate"))
        .then(pl.lit(DUPLICATE))
        .when(amount.is_null())
        .then(pl.lit(AWAITING_RATE))
        .otherwise(pl.lit(COUNTS))
    )
    known = rated.join(lost, on=ARRIVAL, how="left").with_columns(
        amount.alias("netted_amount"), fate.alias("fate")
    )
    return excluding_staff(known, staff, ["customer_id"]).select(
        *ARRIVAL,
        "fate",
        "event_date",
        "order_id",
        "line_id",
        "kind",
        "customer_id",
        "ordered_ts",
        pl.col("netted_amount").alias("amount"),
        pl.col("amount").alias("original_amount"),
        "currency",
        "channel",
        "campaign",
    )
