"""Customers as the company knows them."""

import polars as pl

from transforms.fates import ARRIVAL, latest


def customers(landed_customers: pl.LazyFrame) -> pl.LazyFrame:
    """Every landed row with its fate: of one customer the latest row counts.

    ``user_id`` is ``customer_id`` where the row names no other; a missing ``is_staff`` is false.
    """
    return latest(landed_customers, ["customer_id"], None).select(
        *ARRIVAL,
        "fate",
        "customer_id",
        pl.coalesce("user_id", "customer_id").alias("user_id"),
        "created_ts",
        "country",
        "segment",
        "plan",
        pl.col("is_staff").fill_null(False),
    )
