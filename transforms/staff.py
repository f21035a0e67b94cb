"""Ids of the people who work for the company."""

import polars as pl

from transforms.fates import counted, latest


def staff(landed_customers: pl.LazyFrame, *, exclude_staff: bool) -> pl.LazyFrame:
    """All ids of the persons whom the latest row of a customer marks ``is_staff``.

    A customer who is mapped to a person of staff is that person, whatever their own row says.
    """
    known = counted(latest(landed_customers, ["customer_id"], None)).select(
        "customer_id",
        pl.coalesce("user_id", "customer_id").alias("user_id"),
        is_staff=pl.col("is_staff").fill_null(False) & exclude_staff,
    )
    people = known.filter("is_staff").select("user_id")
    customers = known.join(people, on="user_id", how="semi")
    return pl.concat(
        [people.select(staff_id="user_id"), customers.select(staff_id="customer_id")]
    ).unique()
