"""The contract of ``social_posts``, and its rows as they were received."""

import polars as pl

from schemas.base import Table, Timestamp, column, count, table, timestamp
from schemas.provenance import Landed


@table(
    grain="one row per post and day of a snapshot",
    key=["platform", "account", "post_id", "snapshot_day"],
    published=False,
)
class SocialPostContract(Table):
    """What a row of the source ``social_posts`` brings, after its mapping."""

    platform: pl.String = column("Social network")
    account: pl.String = column("Account that posted")
    post_id: pl.String = column("Identity of the post")
    posted_ts: Timestamp = timestamp("When it was posted")
    snapshot_day: pl.Date = column("Day at whose end the totals were read")
    impressions: pl.Int64 = count("Running total of impressions", nullable=True)
    reach: pl.Int64 = count("Running total of people reached", nullable=True)
    likes: pl.Int64 = count("Running total of likes", nullable=True)
    comments: pl.Int64 = count("Running total of comments", nullable=True)
    shares: pl.Int64 = count("Running total of shares", nullable=True)
    saves: pl.Int64 = count("Running total of saves", nullable=True)
    mentions: pl.Int64 = count("Running total of mentions", nullable=True)
    clicks: pl.Int64 = count("Running total of clicks", nullable=True)
    conversions: pl.Int64 = count("Running total of conversions", nullable=True)
    video_views: pl.Int64 = count("Running total of video views", nullable=True)
    story_first_frame_views: pl.Int64 = count(
        "Running total of views of a story's first frame", nullable=True
    )
    story_last_frame_views: pl.Int64 = count(
        "Running total of views of a story's last frame", nullable=True
    )
    first_reply_seconds: pl.Float64 = column(
        "Time to the first reply to a comment", unit="seconds", nullable=True, ge=0.0
    )
    post_type: pl.String = column("Kind of post, such as photo or video", nullable=True)
    campaign: pl.String = column("Campaign of the post", nullable=True)
    is_deleted: pl.Boolean = column("The post was deleted", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    published=False,
)
class LandedSocialPosts(Landed, SocialPostContract):
    """Accepted rows of the source ``social_posts``, as received."""
