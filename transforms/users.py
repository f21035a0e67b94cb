"""Spine: when each person was active for the first time, overall and in each segment."""

import polars as pl

from schemas.base import ALL

_KEY = ["dimension", "segment", "user_id"]


def users(user_months: pl.LazyFrame, users: pl.LazyFrame) -> pl.LazyFrame:
    """People first seen in the months handed in, per dimension and segment.

    ``users`` are this table's own rows of all earlier months. ``is_entry`` holds where the first
    active event of the person's very first day was in the segment; for everybody it always does.
    """
    first_bit = pl.col("active_days") & -pl.col("active_days")
    candidates = user_months.select(
        *_KEY,
        first_date=pl.col("month") + pl.duration(days=first_bit.bitwise_trailing_zeros()),
        opened_day=(pl.col("first_days") & first_bit) != 0,
    )
    first_seen = candidates.group_by(_KEY).agg(pl.all().min_by("first_date"))
    new = first_seen.join(users, on=_KEY, how="anti")
    new_people = new.filter(pl.col("dimension") == ALL).select(
        "user_id", pl.col("first_date").alias("very_first_date")
    )
    very_first = pl.col("first_date") == pl.col("very_first_date")
    return new.join(new_people, on="user_id", how="left").select(
        pl.col("first_date").dt.month_start().alias("first_month"),
        *_KEY,
        "first_date",
        is_entry=very_first.fill_null(False) & pl.col("opened_day"),
    )
