"""Spine: which segments have sessions, and since when."""

import polars as pl


def visitor_segments(visitors: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dimension, segment and month in which somebody had a first session in it."""
    key = ["first_month", "dimension", "segment"]
    return visitors.group_by(key).agg(pl.col("first_date").min())
