"""Fact: snapshots of posts, with what became of each."""

from schemas.base import table
from schemas.landed_social_posts import SocialPostContract
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of the source social_posts",
    key=["landing_date", "file", "line", "item"],
    slice_by="snapshot_day",
    order=[
        "snapshot_day",
        "platform",
        "account",
        "post_id",
        "landing_date",
        "file",
        "line",
        "item",
    ],
    published=False,
)
class PostSnapshots(Fate, SocialPostContract):
    """Of the rows of one post and day the last one to land counts."""
