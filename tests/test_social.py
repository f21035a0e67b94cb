"""From landed snapshots to the social tables, against SQL, and a law that both tables keep."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
from frames import assert_same, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.social import AUDIENCE, ENGAGEMENTS, TOTALS, social_oracle

from schemas.account_snapshots import AccountSnapshots
from schemas.landed_social_accounts import LandedSocialAccounts
from schemas.landed_social_posts import LandedSocialPosts
from schemas.post_snapshots import PostSnapshots
from schemas.social_engagement_daily import SocialEngagementDaily
from schemas.social_posts import SocialPosts
from transforms.account_snapshots import account_snapshots
from transforms.post_snapshots import post_snapshots
from transforms.social_engagement_daily import social_engagement_daily
from transforms.social_posts import social_posts

FIRST = day("2024-02-20")
MODELS = {"social_engagement_daily": SocialEngagementDaily, "social_posts": SocialPosts}
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles"]

days = st.integers(0, 14).map(lambda number: FIRST + timedelta(number))
totals = st.none() | st.integers(0, 20)
arrivals = st.fixed_dictionaries(
    {
        "landing_date": st.integers(15, 17).map(lambda number: FIRST + timedelta(number)),
        "file": st.sampled_from(["a.csv", "b.csv"]),
    }
)
accounts = st.fixed_dictionaries(
    {"platform": st.sampled_from(["photos", "videos"]), "account": st.sampled_from(["acme"])}
)
fans = st.builds(
    lambda *parts: {key: value for part in parts for key, value in part.items()},
    accounts,
    arrivals,
    st.fixed_dictionaries({"snapshot_day": days, "followers": st.integers(0, 5)}),
)
posts = st.builds(
    lambda *parts: {key: value for part in parts for key, value in part.items()},
    accounts,
    arrivals,
    st.fixed_dictionaries(
        {
            "post_id": st.sampled_from(["p", "q"]),
            "posted_ts": st.integers(-12 * 24, 12 * 24).map(
                lambda hours: at("2024-02-20 22:30") + timedelta(hours=hours)
            ),
            "snapshot_day": days,
            "is_deleted": st.sampled_from([None, False, False, True]),
            "first_reply_seconds": st.none() | st.integers(0, 999).map(lambda tenths: tenths / 10),
            "post_type": st.sampled_from([None, "photo", "story"]),
            "campaign": st.sampled_from([None, "spring"]),
            **dict.fromkeys(TOTALS, totals),
        }
    ),
)


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**row, "event_date": row["snapshot_day"], "line": at} for at, row in enumerate(rows, 1)
    ]


def tables(
    post_rows: list[Any], fan_rows: list[Any], timezone: str, through: date
) -> dict[str, pl.DataFrame]:
    """The published tables by way of the facts, as the warehouse makes them."""
    posts_of_day = post_snapshots(frame(LandedSocialPosts, numbered(post_rows)))
    fans_of_day = account_snapshots(frame(LandedSocialAccounts, numbered(fan_rows)))
    facts = (
        collected(posts_of_day, PostSnapshots).lazy(),
        collected(fans_of_day, AccountSnapshots).lazy(),
    )
    options = {"timezone": timezone, "data_through": through}
    return {
        function.__name__: collected(function(*facts, **options), MODELS[function.__name__])
        for function in (social_engagement_daily, social_posts)
    }


def by_sql(
    post_rows: list[Any], fan_rows: list[Any], timezone: str, through: date
) -> dict[str, pl.DataFrame]:
    zone = ZoneInfo(timezone)
    local = [row["posted_ts"].astimezone(zone).date() for row in post_rows]
    landed = frame(LandedSocialPosts, numbered(post_rows)).collect()
    landed = landed.with_columns(
        pl.col("posted_ts").dt.replace_time_zone(None),
        posted_date=pl.Series(local, dtype=pl.Date),
    )
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("landed_posts", landed.to_arrow())
        arrow = frame(LandedSocialAccounts, numbered(fan_rows)).collect().to_arrow()
        con.register("landed_accounts", arrow)
        found = social_oracle(con, through)
    instants = pl.col("posted_ts").dt.replace_time_zone("UTC")
    return {**found, "social_posts": found["social_posts"].with_columns(instants)}


@settings(max_examples=300 if LONG else 12, deadline=None)
@given(st.lists(posts, max_size=14), st.lists(fans, max_size=6), st.sampled_from(ZONES), days)
def test_snapshots_give_the_tables_that_sql_gives(
    post_rows: list[Any], fan_rows: list[Any], timezone: str, through: date
) -> None:
    expected = by_sql(post_rows, fan_rows, timezone, through)
    for name, found in tables(post_rows, fan_rows, timezone, through).items():
        assert_equal_tables(name, found, expected[name])


@settings(max_examples=100 if LONG else 10, deadline=None)
@given(st.lists(posts, min_size=1, max_size=14), st.randoms())
def test_rows_may_come_in_any_order(post_rows: list[Any], random: Any) -> None:
    through = FIRST + timedelta(14)
    rows = numbered(post_rows)
    shuffled = random.sample(rows, len(rows))
    one, other = (
        social_engagement_daily(
            post_snapshots(frame(LandedSocialPosts, some)),
            frame(AccountSnapshots),
            timezone="UTC",
            data_through=through,
        )
        for some in (rows, shuffled)
    )
    assert_same(collected(one, SocialEngagementDaily), collected(other, SocialEngagementDaily))


@settings(max_examples=100 if LONG else 10, deadline=None)
@given(st.lists(posts, max_size=14))
def test_days_of_posts_seen_from_their_beginning_add_up_to_their_totals(
    post_rows: list[Any],
) -> None:
    # Every post was posted on the first day of the week in which its snapshots begin.
    young = [{**row, "posted_ts": at("2024-02-28 12:00")} for row in post_rows]
    found = tables(young, [], "UTC", FIRST + timedelta(14))
    for name in (*AUDIENCE, *ENGAGEMENTS, "engagements"):
        daily = found["social_engagement_daily"].group_by("platform").agg(pl.col(name).sum())
        total = found["social_posts"].group_by("platform").agg(pl.col(name).sum())
        known = daily.join(total, on="platform").select(pl.nth(1) == pl.nth(2))
        assert known.to_series().all(), name
