"""Engagement with an account's posts, and its followers, by day."""

from typing import Any

import polars as pl

from schemas.base import Table, column, count, table

_DIFFERENCE = (
    "what the posts' totals grew by since their snapshots before, below zero where some was "
    "withdrawn; null where no post's growth is known"
)


def _growth(what: str) -> Any:
    return column(f"{what}: {_DIFFERENCE}", unit="count", nullable=True)


def _rate(what: str, audience: str) -> Any:
    return column(
        f"{what}; null unless {audience} is above zero",
        unit="fraction",
        formula=f"engagements / {audience}",
        nullable=True,
    )


@table(
    grain="one row per day, platform and account",
    key=["date", "platform", "account"],
    warnings=[
        "Reach counts people once per post: neither over posts nor over days is it an audience.",
        "After a gap between snapshots the whole difference falls on the later day: see "
        "days_covered.",
        "Followers and followers_start are levels: never sum them over days.",
    ],
    rules=[
        (
            "engagements is not the sum of its parts",
            pl.col("engagements").fill_null(0)
            == pl.sum_horizontal("likes", "comments", "shares", "saves", "mentions", "clicks"),
        ),
        (
            "net_new_followers is not followers - followers_start",
            (pl.col("followers") - pl.col("followers_start")).eq_missing(
                pl.col("net_new_followers")
            ),
        ),
    ],
)
class SocialEngagementDaily(Table):
    """What the running totals of an account's posts grew by, day by day.

    Every day stands here from the first that a difference covers, or followers were counted on, to
    ``data_through``. A post's first snapshot counts from zero where it is at most seven days after
    the day of posting; a later one has nothing before it, is left out of the sums and counted in
    ``unknown_posts``. On a day without a snapshot nothing is known to have grown: zero. A counter
    that an account's exports never bring is null on all days. A snapshot of a deleted post is
    ignored: what the post had won stays won. Replies to posts from before the account's first day
    have no row here; each stands in ``social_posts``.
    """

    date: pl.Date = column("Day in the reporting time zone")
    platform: pl.String = column("Social network")
    account: pl.String = column("The company's own account on the platform")
    posts: pl.Int64 = count("Posts of which totals were read that day, the deleted ones left out")
    unknown_posts: pl.Int64 = count(
        "Those whose first snapshot came more than seven days after posting: not in the sums"
    )
    days_covered: pl.Int64 = count(
        "The most days that one of the day's differences spans: 1 with snapshots every day, more "
        "after a gap; a post's first snapshot spans the days since posting; 0 without a difference",
        unit="days",
    )
    impressions: pl.Int64 = _growth("Impressions")
    reach: pl.Int64 = _growth("People reached, per post")
    likes: pl.Int64 = _growth("Likes")
    comments: pl.Int64 = _growth("Comments")
    shares: pl.Int64 = _growth("Shares")
    saves: pl.Int64 = _growth("Saves")
    mentions: pl.Int64 = _growth("Mentions")
    clicks: pl.Int64 = _growth("Clicks")
    engagements: pl.Int64 = column(
        "All of these but impressions and reach; a part that is not known adds nothing, null where "
        "none is known",
        unit="count",
        formula="likes + comments + shares + saves + mentions + clicks",
        nullable=True,
    )
    posts_without_impressions: pl.Int64 = count(
        "Posts with engagements that day and no known impressions: any makes engagement_rate null"
    )
    posts_without_reach: pl.Int64 = count(
        "Posts with engagements that day and no known reach: any makes reach_engagement_rate null"
    )
    engagement_rate: pl.Float64 = _rate("Engagements per impression", "impressions")
    reach_engagement_rate: pl.Float64 = _rate("Engagements per person reached", "reach")
    follower_engagement_rate: pl.Float64 = _rate("Engagements per follower", "followers")
    followers: pl.Int64 = count(
        "Followers at the day's end, by the latest snapshot up to it; null before the first",
        unit="accounts",
        nullable=True,
    )
    net_new_followers: pl.Int64 = column(
        "Followers won less followers lost since the snapshot before; null up to the first one",
        unit="accounts",
        formula="followers - followers_start",
        nullable=True,
    )
    followers_start: pl.Int64 = count(
        "Followers at the end of the day before; null up to the first snapshot",
        unit="accounts",
        nullable=True,
    )
    follower_growth_rate: pl.Float64 = column(
        "Growth of the followers in the day",
        unit="fraction",
        formula="net_new_followers / followers_start",
        nullable=True,
    )
    replied_posts: pl.Int64 = count(
        "Posts of the day of posting whose time to the first reply is known",
        warning="Moving: a reply to an old post changes the day of posting.",
    )
    reply_seconds: pl.Float64 = column(
        "Times to the first reply of these posts, summed up",
        unit="seconds",
        warning="Moving: a reply to an old post changes the day of posting.",
        ge=0.0,
    )
    mean_reply_seconds: pl.Float64 = column(
        "Time to the first reply, on the mean of the posts of the day; null without any",
        unit="seconds",
        formula="reply_seconds / replied_posts",
        warning="Moving: a reply to an old post changes the day of posting.",
        nullable=True,
        ge=0.0,
    )
    is_complete: pl.Boolean = column("The day is not after data_through: always so")
