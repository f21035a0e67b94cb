"""Spine: which segments there are, and since when."""

import polars as pl


def segments(users: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dimension, segment and month in which somebody was first active in it."""
    key = ["first_month", "dimension", "segment"]
    return users.group_by(key).agg(pl.col("first_date").min())
