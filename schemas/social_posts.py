"""Posts with their totals so far."""

from typing import Any

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp

_MOVING = "Moving: what is known up to data_through."


def _total(what: str) -> Any:
    return count(f"{what} so far; null where never told", warning=_MOVING, nullable=True)


def _rate(what: str, formula: str) -> Any:
    return column(what, unit="fraction", formula=formula, warning=_MOVING, nullable=True, ge=0.0)


@table(
    grain="one row per platform, account and post",
    key=["platform", "account", "post_id"],
    warnings=[
        "Totals move until a post is forgotten: they are as of data_through, and never restated.",
        "Reach counts people once per post: over posts it is no audience.",
    ],
    rules=[
        (
            "engagements is not the sum of its parts",
            pl.col("engagements").fill_null(0)
            == pl.sum_horizontal("likes", "comments", "shares", "saves", "mentions", "clicks"),
        ),
    ],
)
class SocialPosts(Table):
    """Every post with the last known value of each counter, as of ``data_through``.

    Counters are known one by one: one that the last snapshot leaves out has the value of the one
    before. A snapshot of a deleted post changes no counter. Two accounts of a platform may use the
    same ``post_id``, and these are two posts.
    """

    platform: pl.String = column("Social network")
    account: pl.String = column("The company's own account on the platform")
    post_id: pl.String = column("Identity of the post within its account")
    posted_ts: Timestamp = timestamp("When it was posted")
    posted_date: pl.Date = column("Day of posting, in the reporting time zone")
    post_type: pl.String = column("Kind of post, such as photo or video", nullable=True)
    campaign: pl.String = column("Campaign that the post belongs to", nullable=True)
    is_deleted: pl.Boolean = column("The last snapshot says that it was deleted", warning=_MOVING)
    first_snapshot_date: pl.Date = column("Day of the first snapshot")
    last_snapshot_date: pl.Date = column("Day of the last snapshot", warning=_MOVING)
    impressions: pl.Int64 = _total("Impressions")
    reach: pl.Int64 = _total("People reached")
    likes: pl.Int64 = _total("Likes")
    comments: pl.Int64 = _total("Comments")
    shares: pl.Int64 = _total("Shares")
    saves: pl.Int64 = _total("Saves")
    mentions: pl.Int64 = _total("Mentions")
    clicks: pl.Int64 = _total("Clicks")
    engagements: pl.Int64 = count(
        "Likes, comments, shares, saves, mentions and clicks so far; one that is not known adds "
        "nothing, null where none is known",
        formula="likes + comments + shares + saves + mentions + clicks",
        warning=_MOVING,
        nullable=True,
    )
    conversions: pl.Int64 = _total("Conversions")
    video_views: pl.Int64 = _total("Video views")
    story_first_frame_views: pl.Int64 = _total("Views of a story's first frame")
    story_last_frame_views: pl.Int64 = _total("Views of a story's last frame")
    followers: pl.Int64 = count(
        "Followers of the account on the day of the post's last snapshot, by the latest count up "
        "to it; null before the first",
        unit="accounts",
        warning=_MOVING,
        nullable=True,
    )
    first_reply_seconds: pl.Float64 = column(
        "Time to the first reply to a comment; null where never told",
        unit="seconds",
        warning=_MOVING,
        nullable=True,
        ge=0.0,
    )
    engagement_rate: pl.Float64 = _rate(
        "Engagements per impression; null without impressions", "engagements / impressions"
    )
    reach_engagement_rate: pl.Float64 = _rate(
        "Engagements per person reached; null without reach", "engagements / reach"
    )
    follower_engagement_rate: pl.Float64 = _rate(
        "Engagements per follower; null without followers", "engagements / followers"
    )
    story_retention_rate: pl.Float64 = _rate(
        "Views of a story's last frame per view of its first; null without the latter",
        "story_last_frame_views / story_first_frame_views",
    )
