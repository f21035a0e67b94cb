"""Posts with their totals so far."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.social_posts import SocialPosts
from transforms.calendar import local_day
from transforms.division import ratio
from transforms.social import (
    ACCOUNT,
    ENGAGEMENTS,
    POST,
    TOTALS,
    engagement_rates,
    known_followers,
    known_snapshots,
    sum_of_known,
)

_TOLD = (*TOTALS, "first_reply_seconds", "post_type", "campaign")


def social_posts(
    post_snapshots: pl.LazyFrame,
    account_snapshots: pl.LazyFrame,
    *,
    timezone: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every post with the last known value of each of its columns, as of the horizon."""
    posted_date = local_day(pl.col("posted_ts"), timezone)
    posts = _last_known(known_snapshots(post_snapshots, data_through))
    followers = known_followers(account_snapshots, data_through)
    return (
        posts.join(
            _followers_by_day(posts, followers), on=[*ACCOUNT, "last_snapshot_date"], how="left"
        )
        .with_columns(posted_date=posted_date, engagements=sum_of_known(ENGAGEMENTS))
        .with_columns(
            **engagement_rates(),
            story_retention_rate=ratio("story_last_frame_views", "story_first_frame_views"),
        )
        .select(*dtypes(SocialPosts))
    )


def _last_known(snapshots: pl.LazyFrame) -> pl.LazyFrame:
    day = pl.col("snapshot_day")
    return snapshots.group_by(POST).agg(
        pl.col("posted_ts").sort_by(day).last(),
        pl.col("is_deleted").fill_null(False).sort_by(day).last(),
        *(pl.col(name).sort_by(day).drop_nulls().last() for name in _TOLD),
        first_snapshot_date=day.min(),
        last_snapshot_date=day.max(),
    )


def _followers_by_day(posts: pl.LazyFrame, followers: pl.LazyFrame) -> pl.LazyFrame:
    """Followers of each account on the last days of its posts, by the latest count up to them."""
    days = posts.select(*ACCOUNT, "last_snapshot_date").unique()
    counts = followers.rename({"snapshot_day": "last_snapshot_date"})
    carried = pl.col("followers").forward_fill().over(ACCOUNT, order_by="last_snapshot_date")
    return days.join(
        counts, on=[*ACCOUNT, "last_snapshot_date"], how="full", coalesce=True
    ).with_columns(carried)
