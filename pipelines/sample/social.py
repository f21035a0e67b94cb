"""Social networks: daily snapshots of posts and accounts, with gaps, losses and deletions."""

from typing import Any

import polars as pl

from pipelines.sample.clock import DAY, HOUR, Clock, date_of
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export

_ACCOUNTS = (("instagram", "tide"), ("linkedin", "tide-work"), ("x", "tide_help"))
# A network that does not tell how often a post was seen.
_BLIND = "x"
_FOLLOWED_DAYS, _EXPORT_DAYS = 21, 7
_OLD_POSTS, _OLD_DAYS = 2, 30
_MOST_POSTS = 1 << 16
_GAP_SHARE, _DELETED_SHARE, _WITHDRAWN_SHARE = 0.06, 0.05, 0.06
_TYPES: dict[str | None, int] = {"photo": 40, "video": 30, "text": 20, "story": 10}
_CAMPAIGNS: dict[str | None, int] = {"spring_sale": 2, "launch": 2, None: 6}
# What a day brings, in thousandths of the day's impressions.
_RATES = {"likes": 30, "comments": 6, "shares": 5, "saves": 4, "mentions": 1, "clicks": 12}
ENGAGEMENTS = tuple(_RATES)
_ASIDE = ("conversions", "video_views", "story_first_frame_views", "story_last_frame_views")


def posts(clock: Clock, dice: Dice) -> pl.DataFrame:
    """One row per post: ``post`` (its number), account, second of posting.

    The first posts are older than the first snapshot by more than a week; for a month around it
    nothing else was posted but after it, so that no other day of the account hangs on them.
    """
    each = []
    for place, (platform, account) in enumerate(_ACCOUNTS):
        days = [clock.first - _OLD_DAYS - nth for nth in range(_OLD_POSTS)]
        days += range(clock.first + 1, clock.end // DAY, 2 + place)
        made = pl.DataFrame({"day": days}, schema={"day": pl.Int64}).with_columns(
            pl.lit(platform).alias("platform"),
            pl.lit(account).alias("account"),
            (pl.int_range(pl.len(), dtype=pl.Int64) + place * _MOST_POSTS).alias("post"),
        )
        each.append(made)
    post = pl.col("post")
    return derived(
        pl.concat(each),
        (pl.col("day") * DAY + 7 * HOUR + dice.below(12 * HOUR, post, "posted")).alias("posted_ts"),
        dice.pick(_TYPES, post, "post type").alias("post_type"),
        dice.pick(_CAMPAIGNS, post, "post's campaign").alias("campaign"),
        (200 + dice.below(2_000, post, "fame")).alias("fame"),
        (pl.when(dice.chance(0.6, post, "replied")).then(dice.below(9 * HOUR, post, "reply")))
        .cast(pl.Float64)
        .alias("first_reply_seconds"),
        dice.chance(_DELETED_SHARE, post, "deleted").alias("is_gone"),
        (4 + dice.below(10, post, "deleted when")).alias("gone_age"),
    )


def snapshots(made: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """Running totals of each post at the end of each of its days, some days missing.

    A deleted post is seen once more, with the totals that it had, and no more.
    """
    ages = pl.DataFrame({"age": range(_OLD_DAYS + _FOLLOWED_DAYS)}, schema={"age": pl.Int64})
    rows = made.join(ages, how="cross").with_columns((pl.col("day") + pl.col("age")).alias("on"))
    is_old = pl.col("day") < clock.first
    followed = pl.when(is_old).then(_OLD_DAYS + _FOLLOWED_DAYS).otherwise(_FOLLOWED_DAYS)
    rows = rows.filter(pl.col("age") < followed).sort("post", "age")
    rows = _running(_gains(rows, dice))
    is_seen = pl.col("on").is_between(clock.first, clock.end // DAY - 1)
    has_gone = pl.col("is_gone") & (pl.col("age") > pl.col("gone_age"))
    # What a post won before it was deleted is seen before, so that nothing hangs on its last row.
    matters = is_old | (pl.col("age") <= 1) | pl.col("is_gone")
    is_gap = dice.chance(_GAP_SHARE, pl.col("snapshot"), "gap") & ~matters
    return derived(rows, is_gap.alias("is_gap")).filter(is_seen & ~has_gone & ~pl.col("is_gap"))


def _gains(rows: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """What each day brings: much at first, then less; now and then more likes go than come."""
    rows = rows.with_columns((pl.col("post") * 64 + pl.col("age")).alias("snapshot"))
    key = pl.col("snapshot")
    seen = pl.col("fame") * (50 + dice.below(100, key, "seen")) // (100 * (1 + pl.col("age")))
    rows = derived(rows, seen.alias("impressions"))
    drawn = {
        name: pl.col("impressions") * rate * dice.below(200, key, name) // 100_000
        for name, rate in _RATES.items()
    }
    goes = dice.chance(_WITHDRAWN_SHARE, key, "withdrawn") & (pl.col("age") > 2)
    drawn["likes"] = pl.when(goes).then(-1 - pl.col("age") % 2).otherwise(drawn["likes"])
    # The day on which a post is deleted brings nothing.
    is_last = pl.col("is_gone") & (pl.col("age") >= pl.col("gone_age"))
    rows = derived(rows, *(gain.alias(name) for name, gain in drawn.items()))
    return rows.with_columns(
        pl.when(is_last).then(0).otherwise(pl.col(name)).alias(name)
        for name in ("impressions", *_RATES)
    )


def _running(rows: pl.DataFrame) -> pl.DataFrame:
    totals = rows.with_columns(
        pl.max_horizontal(pl.col(name).cum_sum().over("post"), pl.lit(0)).alias(name)
        for name in ("impressions", *_RATES)
    )
    is_blind = pl.col("platform") == _BLIND
    seen, is_story = pl.col("impressions"), pl.col("post_type") == "story"
    return totals.with_columns(
        pl.when(~is_blind).then(seen).alias("impressions"),
        pl.when(~is_blind).then(seen * 3 // 4).alias("reach"),
        (pl.col("clicks") // 20).alias("conversions"),
        pl.when(pl.col("post_type") == "video").then(seen // 2).alias("video_views"),
        pl.when(is_story).then(seen).alias("story_first_frame_views"),
        pl.when(is_story).then(seen * 6 // 10).alias("story_last_frame_views"),
    )


def social_posts(rows: pl.DataFrame) -> Export:
    """The snapshots as they are sent, in the evening of their day."""
    is_last = pl.col("is_gone") & (pl.col("age") == pl.col("gone_age"))
    number = pl.col("post").cast(pl.String).str.zfill(6)
    sent = rows.select(
        "platform",
        "account",
        pl.concat_str(pl.lit("p"), number).alias("post_id"),
        "posted_ts",
        date_of(pl.col("on")).alias("snapshot_day"),
        "impressions",
        "reach",
        *_RATES,
        *_ASIDE,
        "first_reply_seconds",
        "post_type",
        "campaign",
        is_last.alias("is_deleted"),
        (pl.col("on") * DAY + 23 * HOUR).alias("at"),
        pl.col("snapshot").alias("key"),
    )
    return Export(
        "social_posts",
        sent,
        identity=("platform", "account", "post_id", "snapshot_day"),
        flaws={"post_missing": {"post_id": None}, "likes_negative": {"likes": pl.lit(-5)}},
        every_days=_EXPORT_DAYS,
        truths={"accounts": _totals(rows)},
    )


def _totals(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """What all days of an account come to: last totals, less those that an old post began with."""
    is_old = pl.col("age").min().over("post") > 7
    counted = (*ENGAGEMENTS, "impressions", "reach")
    gained = (
        rows.sort("post", "age")
        .with_columns(is_old.alias("is_old"))
        .group_by("platform", "account", "post")
    )
    totals = gained.agg(
        pl.col(name).last()
        - pl.when(pl.col("is_old").first()).then(pl.col(name).first()).otherwise(0)
        for name in counted
    )
    accounts = totals.group_by("platform", "account").agg(
        pl.len().alias("posts"), *(pl.col(name).sum() for name in counted)
    )
    return [
        {
            **row,
            "engagements": sum(row[name] for name in ENGAGEMENTS),
            **({"impressions": None, "reach": None} if row["platform"] == _BLIND else {}),
        }
        for row in accounts.sort("platform", "account").iter_rows(named=True)
    ]


def social_accounts(clock: Clock, dice: Dice) -> Export:
    """Followers at the end of each day; on some days nobody counted."""
    counted = _followers(clock, dice)
    last = counted.filter(pl.col("on") == clock.end // DAY - 1)
    sent = counted.select(
        "platform",
        "account",
        date_of(pl.col("on")).alias("snapshot_day"),
        "followers",
        (pl.col("on") * DAY + 23 * HOUR).alias("at"),
        "key",
    )
    return Export(
        "social_accounts",
        sent,
        identity=("platform", "account", "snapshot_day"),
        flaws={"account_missing": {"account": None}, "negative": {"followers": pl.lit(-1)}},
        every_days=_EXPORT_DAYS,
        truths={"followers_at_end": last.select("platform", "account", "followers").to_dicts()},
    )


def _followers(clock: Clock, dice: Dice) -> pl.DataFrame:
    """Seen every day but for gaps; the first and the last day are none."""
    days = pl.select(pl.int_range(clock.first, clock.end // DAY, dtype=pl.Int64).alias("on"))
    each = [
        days.with_columns(
            pl.lit(platform).alias("platform"),
            pl.lit(account).alias("account"),
            pl.lit(1_000 * (place + 1), dtype=pl.Int64).alias("start"),
            (pl.col("on") * len(_ACCOUNTS) + place).alias("key"),
        )
        for place, (platform, account) in enumerate(_ACCOUNTS)
    ]
    key = pl.col("key")
    rows = derived(
        pl.concat(each),
        (dice.below(30, key, "followers") - 8).alias("gain"),
        dice.chance(_GAP_SHARE, key, "not counted").alias("is_gap"),
    )
    followers = pl.col("start") + pl.col("gain").cum_sum().over("platform", "account")
    rows = rows.with_columns(followers.alias("followers"))
    edge = pl.col("on").is_in([clock.first, clock.end // DAY - 1])
    return rows.filter(edge | ~pl.col("is_gap"))
