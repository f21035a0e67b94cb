"""Customers as the company knows them."""

import polars as pl

from transforms.fates import ARRIVAL, excluding_staff, latest


def customers(landed_customers: pl.LazyFrame, staff: pl.LazyFrame) -> pl.LazyFrame:
    """Every landed row with its fate: of one customer the latest row counts, unless it is staff's.

    ``user_id`` is ``customer_id`` where the row names no other; a missing ``is_staff`` is false.
    """
    person = pl.coalesce("user_id", "customer_id").alias("user_id")
    rows = latest(landed_customers, ["customer_id"], None).with_columns(person)
    return excluding_staff(rows, staff, ["customer_id", "user_id"]).select(
        *ARRIVAL,
        "fate",
        "customer_id",
        "user_id",
        "created_ts",
        "country",
        "segment",
        "plan",
        pl.col("is_staff").fill_null(False),
    )
