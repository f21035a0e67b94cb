"""Fact: snapshots of posts, with what became of each."""

import polars as pl

from schemas.base import dtypes
from schemas.post_snapshots import PostSnapshots
from transforms.fates import latest


def post_snapshots(landed_social_posts: pl.LazyFrame) -> pl.LazyFrame:
    """Every snapshot of the days given; the last one to land counts for its post and day."""
    identity = ["platform", "account", "post_id", "snapshot_day"]
    return latest(landed_social_posts, identity, None).select(*dtypes(PostSnapshots))
