from typing import Any

import polars as pl
import pytest
from frames import assert_rows, at, collected, day, frame

from schemas.account_snapshots import AccountSnapshots
from schemas.post_snapshots import PostSnapshots
from schemas.social_posts import SocialPosts
from transforms.social_posts import social_posts

ARRIVED = {"landing_date": day("2024-03-01"), "file": "a.csv", "fate": "counts"}
ACME = {"platform": "photos", "account": "acme"}


def post(post_id: str, on: str, **columns: Any) -> dict[str, Any]:
    known = {"post_id": post_id, "snapshot_day": day(on), "posted_ts": at("2024-01-01 23:30")}
    return {**ACME, **known, **columns}


def posts(
    snapshots: list[Any],
    fans: dict[str, int] | None = None,
    *,
    through: str = "2024-01-31",
    timezone: str = "UTC",
) -> pl.LazyFrame:
    accounts = [
        {**ACME, "snapshot_day": day(on), "followers": count, "line": number}
        for number, (on, count) in enumerate((fans or {}).items(), 1)
    ]
    numbered = [{"line": number, **row} for number, row in enumerate(snapshots, 1)]
    return social_posts(
        frame(PostSnapshots, numbered, **ARRIVED),
        frame(AccountSnapshots, accounts, **ARRIVED),
        timezone=timezone,
        data_through=day(through),
    )


def only(table: pl.LazyFrame) -> dict[str, Any]:
    return collected(table, SocialPosts).row(0, named=True)


def test_the_last_snapshot_up_to_the_horizon_gives_the_totals() -> None:
    # 12 likes and 3 comments of 300 impressions, 150 people and 500 followers; a story that 30 of
    # 40 saw to its end. What the third of January says is after the horizon.
    table = posts(
        [
            post("p", "2024-01-01", likes=20, impressions=100, post_type="photo"),
            post("p", "2024-01-02", likes=12, comments=3, impressions=300, reach=150)
            | {"conversions": 2, "video_views": 7, "post_type": "story", "campaign": "spring"}
            | {"story_first_frame_views": 40, "story_last_frame_views": 30},
            post("p", "2024-01-03", likes=99),
        ],
        {"2024-01-01": 500, "2024-01-03": 900},
        through="2024-01-02",
    )
    assert_rows(
        table,
        SocialPosts,
        [
            {
                **ACME,
                "post_id": "p",
                "posted_date": day("2024-01-01"),
                "post_type": "story",
                "campaign": "spring",
                "is_deleted": False,
                "first_snapshot_date": day("2024-01-01"),
                "last_snapshot_date": day("2024-01-02"),
                "likes": 12,
                "comments": 3,
                "shares": None,
                "engagements": 15,
                "conversions": 2,
                "video_views": 7,
                "followers": 500,
                "engagement_rate": 0.05,
                "reach_engagement_rate": 0.1,
                "follower_engagement_rate": 0.03,
                "story_retention_rate": 0.75,
            }
        ],
    )


def test_each_counter_is_the_last_that_was_told() -> None:
    row = only(
        posts(
            [
                post("p", "2024-01-01", impressions=100, likes=1, campaign="spring"),
                post("p", "2024-01-02", likes=5),
            ]
        )
    )
    assert (row["impressions"], row["likes"], row["campaign"]) == (100, 5, "spring")
    assert row["engagement_rate"] == 0.05


@pytest.mark.parametrize("seen", [{"impressions": 0}, {}], ids=["none", "unknown"])
def test_a_rate_without_impressions_is_null(seen: dict[str, int]) -> None:
    row = only(posts([post("p", "2024-01-01", likes=5, **seen)]))
    assert row["engagement_rate"] is None
    assert row["reach_engagement_rate"] is None
    assert row["follower_engagement_rate"] is None
    assert row["story_retention_rate"] is None


def test_a_deleted_post_keeps_its_totals() -> None:
    deleted = post("p", "2024-01-02", likes=0, impressions=0, is_deleted=True)
    row = only(posts([post("p", "2024-01-01", likes=5, impressions=10), deleted]))
    assert (row["is_deleted"], row["likes"], row["engagement_rate"]) == (True, 5, 0.5)


def test_a_post_of_which_only_the_deletion_is_known_has_no_totals() -> None:
    row = only(posts([post("p", "2024-01-02", likes=7, is_deleted=True)]))
    assert (row["is_deleted"], row["likes"], row["engagements"]) == (True, None, None)


def test_one_post_id_of_two_accounts_is_two_posts() -> None:
    table = posts(
        [post("p", "2024-01-01", likes=5), post("p", "2024-01-01", likes=9, account="beta")]
    )
    rows = [{"account": "acme", "likes": 5}, {"account": "beta", "likes": 9}]
    assert_rows(table, SocialPosts, rows)


def test_the_day_of_posting_is_one_of_the_reporting_time_zone() -> None:
    table = posts([post("p", "2024-01-02")], timezone="Europe/Berlin")
    assert only(table)["posted_date"] == day("2024-01-02")


def test_rows_that_do_not_count_are_left_out() -> None:
    rows = [post("p", "2024-01-01", likes=5), post("p", "2024-01-01", likes=6, fate="duplicate")]
    assert only(posts(rows))["likes"] == 5


def test_nothing_landed_gives_no_rows() -> None:
    assert collected(posts([]), SocialPosts).is_empty()
