"""Which anonymous ids belong to which users, and since when."""

import polars as pl


def identities(identity_months: pl.LazyFrame) -> pl.LazyFrame:
    """The months of each pair of ids put together."""
    return identity_months.group_by("anonymous_id", "user_id").agg(
        pl.col("first_link_ts").min(),
        pl.col("last_link_ts").max(),
        pl.col("linked_days", "events").sum(),
    )
