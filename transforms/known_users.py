"""Spine: users whom events name, and since when."""

import polars as pl


def known_users(events: pl.LazyFrame, known_users: pl.LazyFrame) -> pl.LazyFrame:
    """Users first named in the months handed in; mails and other inactive events name them too.

    ``known_users`` are this table's own rows of all earlier months.
    """
    return (
        events.filter(pl.col("user_id").is_not_null())
        .group_by("user_id")
        .agg(first_date=pl.col("event_date").min())
        .join(known_users, on="user_id", how="anti")
        .select(pl.col("first_date").dt.month_start().alias("first_month"), "user_id", "first_date")
    )
