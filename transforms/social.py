"""What both social tables share: which totals are believed, and how engagement is rated."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.landed_social_posts import SocialPostContract
from transforms.division import ratio
from transforms.fates import counted

ACCOUNT = ["platform", "account"]
POST = [*ACCOUNT, "post_id"]
ENGAGEMENTS = ("likes", "comments", "shares", "saves", "mentions", "clicks")
AUDIENCE = ("impressions", "reach")
# Whole numbers of posts are running totals; there are no others in the contract.
TOTALS = tuple(name for name, dtype in dtypes(SocialPostContract).items() if dtype == pl.Int64)


def known_snapshots(post_snapshots: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """Snapshots that count, up to the horizon.

    A deleted post has no totals: whatever an export says of it then, nobody took a like back.
    """
    alive = ~pl.col("is_deleted").fill_null(False)
    return (
        counted(post_snapshots)
        .filter(pl.col("snapshot_day") <= data_through)
        .with_columns(pl.when(alive).then(pl.col(TOTALS)).name.keep())
    )


def known_followers(account_snapshots: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """Followers by account and day of a snapshot that counts, up to the horizon."""
    known = counted(account_snapshots).filter(pl.col("snapshot_day") <= data_through)
    return known.select(*ACCOUNT, "snapshot_day", "followers")


def sum_of_known(names: tuple[str, ...]) -> pl.Expr:
    """The sum of those columns of a row that are known; null where none is."""
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in names)
    return pl.when(known).then(pl.sum_horizontal(names))


def engagement_rates() -> dict[str, pl.Expr]:
    """Engagements per impression, person reached and follower; null unless there were some.

    Differences of totals can fall below zero, and nothing is a share of less than nothing.
    """
    return {
        name: ratio(pl.col("engagements"), pl.when(pl.col(audience) > 0).then(pl.col(audience)))
        for name, audience in (
            ("engagement_rate", "impressions"),
            ("reach_engagement_rate", "reach"),
            ("follower_engagement_rate", "followers"),
        )
    }
