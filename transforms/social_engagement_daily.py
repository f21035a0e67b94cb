"""Engagement with an account's posts, and its followers, by day."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.social_engagement_daily import SocialEngagementDaily
from transforms.calendar import local_day, plus_days
from transforms.division import ratio
from transforms.social import (
    ACCOUNT,
    AUDIENCE,
    ENGAGEMENTS,
    POST,
    TOTALS,
    engagement_rates,
    known_followers,
    known_snapshots,
    sum_of_known,
)

_COUNTERS = (*AUDIENCE, *ENGAGEMENTS)
_GROWTHS = (*_COUNTERS, "engagements")
_LACKING = ("posts_without_impressions", "posts_without_reach")
_TALLIES = ("posts", "unknown_posts", "days_covered", *_LACKING)
# A post that is younger at its first snapshot is taken to have been seen from its beginning.
_NEW_DAYS = 7
_MICROSECONDS = 1_000_000


def social_engagement_daily(
    post_snapshots: pl.LazyFrame,
    account_snapshots: pl.LazyFrame,
    *,
    timezone: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every day of every account, from the first that is known of to the horizon.

    A day's value is the difference between a post's totals and the last ones known before, summed
    over the posts of the account. Sorts all snapshots by post and day.
    """
    posted_day = local_day(pl.col("posted_ts"), timezone)
    snapshots = known_snapshots(post_snapshots, data_through).with_columns(posted_day=posted_day)
    followers = known_followers(account_snapshots, data_through)
    growths = _growths(snapshots)
    key = ["date", *ACCOUNT]
    return (
        _days(growths, followers, data_through)
        .join(_by_account(growths), on=key, how="left")
        .join(_counters_of(snapshots), on=ACCOUNT, how="left")
        .join(_replies(snapshots), on=key, how="left")
        .join(followers.rename({"snapshot_day": "date"}), on=key, how="left")
        .with_columns(pl.col(*_TALLIES, "replied_posts").fill_null(0), *_nothing_grew())
        .with_columns(pl.col("followers").forward_fill().over(ACCOUNT, order_by="date"))
        .with_columns(followers_start=pl.col("followers").shift().over(ACCOUNT, order_by="date"))
        .with_columns(*_rates(), is_complete=pl.col("date") <= data_through)
        .select(*dtypes(SocialEngagementDaily))
    )


def _growths(snapshots: pl.LazyFrame) -> pl.LazyFrame:
    """One row per snapshot with totals: what each counter grew by, and over how many days.

    ``from_day`` is the last day that the difference does not cover.
    """
    seen = snapshots.filter(pl.any_horizontal(pl.col(TOTALS).is_not_null()))
    is_new = (pl.col("snapshot_day") - pl.col("posted_day")).dt.total_days() <= _NEW_DAYS
    earlier = pl.col(*_COUNTERS).forward_fill().shift().over(POST, order_by="snapshot_day")
    day_before = pl.col("snapshot_day").shift().over(POST, order_by="snapshot_day")
    before_posting = pl.when(is_new).then(plus_days(pl.col("posted_day"), -1))
    return (
        seen.with_columns(earlier.name.prefix("earlier_"))
        .with_columns(
            *(_growth(name, is_new) for name in _COUNTERS),
            from_day=pl.coalesce(day_before, before_posting),
        )
        .with_columns(engagements=sum_of_known(ENGAGEMENTS))
    )


def _growth(counter: str, is_new: pl.Expr) -> pl.Expr:
    from_zero = pl.when(is_new).then(pl.lit(0, pl.Int64))
    return pl.col(counter) - pl.coalesce(f"earlier_{counter}", from_zero)


def _by_account(growths: pl.LazyFrame) -> pl.LazyFrame:
    spans = (pl.col("snapshot_day") - pl.col("from_day")).dt.total_days()
    engaged = pl.col("engagements").is_not_null()
    lacking = {
        name: (engaged & pl.col(audience).is_null()).sum().cast(pl.Int64)
        for name, audience in zip(_LACKING, AUDIENCE, strict=True)
    }
    return growths.group_by(pl.col("snapshot_day").alias("date"), *ACCOUNT).agg(
        posts=pl.len().cast(pl.Int64),
        unknown_posts=pl.col("from_day").is_null().sum().cast(pl.Int64),
        days_covered=spans.max().clip(lower_bound=1),
        **{name: _sum_if_any(name) for name in _GROWTHS},
        **lacking,
    )


def _sum_if_any(name: str) -> pl.Expr:
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())


def _counters_of(snapshots: pl.LazyFrame) -> pl.LazyFrame:
    """Which counters an account's exports bring at all."""
    return snapshots.group_by(ACCOUNT).agg(
        (pl.col(name).count() > 0).alias(f"brings_{name}") for name in _COUNTERS
    )


def _nothing_grew() -> list[pl.Expr]:
    """Zeros on days without a snapshot, for the counters that the account has."""
    is_still = pl.col("posts").is_null()
    brought = {name: pl.col(f"brings_{name}") for name in _COUNTERS}
    brought["engagements"] = pl.any_horizontal(brought[name] for name in ENGAGEMENTS)
    return [
        pl.when(is_still & has_it).then(pl.lit(0, pl.Int64)).otherwise(pl.col(name)).alias(name)
        for name, has_it in brought.items()
    ]


def _days(growths: pl.LazyFrame, followers: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    covered = pl.coalesce(plus_days(pl.col("from_day"), 1), "snapshot_day")
    first_days = pl.concat(
        [
            growths.select(*ACCOUNT, first=pl.min_horizontal(covered, "snapshot_day")),
            followers.select(*ACCOUNT, first="snapshot_day"),
        ]
    )
    days = pl.date_ranges("first", data_through).alias("date")
    firsts = first_days.group_by(ACCOUNT).agg(pl.col("first").min())
    return firsts.select(*ACCOUNT, days).explode("date")


def _replies(snapshots: pl.LazyFrame) -> pl.LazyFrame:
    """First replies by the day of posting. Whole microseconds, so that their sum has no order."""
    microseconds = (pl.col("first_reply_seconds") * _MICROSECONDS).round()
    whole = microseconds.cast(pl.Int64, strict=False).cast(pl.Int128).alias("reply_time")
    last = pl.col("posted_day", "reply_time").sort_by("snapshot_day").last()
    known = snapshots.with_columns(whole).drop_nulls("reply_time").group_by(POST).agg(last)
    total, posts = pl.col("reply_time").sum(), pl.len().cast(pl.Int64)
    return known.group_by(pl.col("posted_day").alias("date"), *ACCOUNT).agg(
        replied_posts=posts,
        reply_seconds=ratio(total, pl.lit(_MICROSECONDS)),
        mean_reply_seconds=ratio(total, posts * _MICROSECONDS),
    )


def _rates() -> list[pl.Expr]:
    net = pl.col("followers") - pl.col("followers_start")
    rates = engagement_rates()
    for name, lacking in zip(("engagement_rate", "reach_engagement_rate"), _LACKING, strict=True):
        rates[name] = pl.when(pl.col(lacking) == 0).then(rates[name])
    return [
        *(rate.alias(name) for name, rate in rates.items()),
        pl.col("reply_seconds").fill_null(0.0),
        net.alias("net_new_followers"),
        ratio(net, "followers_start").alias("follower_growth_rate"),
    ]
