from typing import Any

import polars as pl
from frames import assert_rows, at, collected, day, frame

from schemas.account_snapshots import AccountSnapshots
from schemas.post_snapshots import PostSnapshots
from schemas.social_engagement_daily import SocialEngagementDaily
from transforms.social_engagement_daily import social_engagement_daily

ARRIVED = {"landing_date": day("2024-03-01"), "file": "a.csv", "fate": "counts"}
ACME = {"platform": "photos", "account": "acme"}
ENGAGEMENTS = ["likes", "comments", "shares", "saves", "mentions", "clicks"]


def post(post_id: str, on: str, *, posted: str = "2024-01-01 12:00", **columns: Any) -> Any:
    known = {"post_id": post_id, "snapshot_day": day(on), "posted_ts": at(posted)}
    return {**ACME, **known, **columns}


def fans(on: str, followers: int, **columns: Any) -> dict[str, Any]:
    return {**ACME, "snapshot_day": day(on), "followers": followers, **columns}


def daily(
    posts: list[Any], accounts: list[Any] | None = None, *, through: str, timezone: str = "UTC"
) -> pl.LazyFrame:
    numbered = [{"line": number, **row} for number, row in enumerate(posts, 1)]
    counted = [{"line": number, **row} for number, row in enumerate(accounts or [], 1)]
    return social_engagement_daily(
        frame(PostSnapshots, numbered, **ARRIVED),
        frame(AccountSnapshots, counted, **ARRIVED),
        timezone=timezone,
        data_through=day(through),
    )


def of(table: pl.LazyFrame, *names: str) -> list[tuple[Any, ...]]:
    """Those columns by day, the day of the month before them."""
    rows = collected(table, SocialEngagementDaily)
    return rows.select(pl.col("date").dt.day(), *names).rows()


def test_a_day_is_the_difference_of_two_snapshots() -> None:
    # likes 10, then 15 - 10, then 12 - 15: three were withdrawn; impressions 100, 100, 0
    table = daily(
        [
            post("p", "2024-01-01", likes=10, impressions=100),
            post("p", "2024-01-02", likes=15, impressions=200),
            post("p", "2024-01-03", likes=12, impressions=200),
        ],
        through="2024-01-03",
    )
    assert of(table, "likes", "impressions", "engagement_rate", "days_covered") == [
        (1, 10, 100, 0.1, 1),
        (2, 5, 100, 0.05, 1),
        (3, -3, 0, None, 1),
    ]


def test_posts_of_an_account_add_up_and_accounts_stay_apart() -> None:
    # acme: 3 + 4 likes, 1 comment; beta: 9 likes
    table = daily(
        [
            post("p", "2024-01-01", likes=3, comments=1),
            post("q", "2024-01-01", likes=4),
            {**post("p", "2024-01-01", likes=9), "account": "beta"},
        ],
        through="2024-01-01",
    )
    expected = {"date": day("2024-01-01"), "platform": "photos"}
    assert_rows(
        table,
        SocialEngagementDaily,
        [
            {**expected, "account": "acme", "posts": 2, "likes": 7, "comments": 1, "shares": None}
            | {"engagements": 8},
            {**expected, "account": "beta", "posts": 1, "likes": 9, "comments": None}
            | {"shares": None, "engagements": 9},
        ],
    )


def test_engagements_are_all_six_and_reach_is_none() -> None:
    # 1 + 2 + 4 + 8 + 16 + 32 = 63 of 630 impressions, 126 people and 1,260 followers
    parts = dict(zip(ENGAGEMENTS, (1, 2, 4, 8, 16, 32), strict=True))
    table = daily(
        [post("p", "2024-01-01", impressions=630, reach=126, conversions=5, **parts)],
        [fans("2024-01-01", 1260)],
        through="2024-01-01",
    )
    rates = ["engagement_rate", "reach_engagement_rate", "follower_engagement_rate"]
    assert of(table, "engagements", *rates) == [(1, 63, 0.1, 0.5, 0.05)]


def test_a_first_snapshot_counts_from_zero_for_seven_days_after_posting() -> None:
    # p: seven days after posting, 8 days covered; q: eight days after, nothing known before
    posted = {"posted": "2024-01-01 23:59"}
    assert of(
        daily([post("p", "2024-01-08", likes=5, **posted)], through="2024-01-08"),
        *("likes", "posts", "unknown_posts", "days_covered"),
    ) == [*((number, 0, 0, 0, 0) for number in range(1, 8)), (8, 5, 1, 0, 8)]
    assert of(
        daily(
            [post("q", "2024-01-09", likes=5, **posted), post("q", "2024-01-10", likes=7)],
            through="2024-01-10",
        ),
        *("likes", "engagements", "unknown_posts", "days_covered"),
    ) == [(9, None, None, 1, 0), (10, 2, 2, 0, 1)]


def test_the_day_of_posting_is_one_of_the_reporting_time_zone() -> None:
    # 23:30 UTC on the first is the second in Berlin: the ninth is seven days later
    snapshots = [post("p", "2024-01-09", posted="2024-01-01 23:30", likes=5)]
    berlin = daily(snapshots, through="2024-01-09", timezone="Europe/Berlin")
    assert of(berlin, "likes")[0] == (2, 0)
    assert of(berlin, "likes")[-1] == (9, 5)
    assert of(daily(snapshots, through="2024-01-09"), "likes") == [(9, None)]


def test_after_a_gap_the_difference_falls_on_the_later_day() -> None:
    # 20 - 10 on the fourth, over three days; the days between are zero, not missing
    table = daily(
        [post("p", "2024-01-01", likes=10), post("p", "2024-01-04", likes=20)],
        through="2024-01-05",
    )
    assert of(table, "likes", "days_covered") == [
        (1, 10, 1),
        (2, 0, 0),
        (3, 0, 0),
        (4, 10, 3),
        (5, 0, 0),
    ]


def test_days_covered_is_the_longest_gap_of_the_day() -> None:
    # on the third: p covers two days, q one
    table = daily(
        [
            post("p", "2024-01-01", likes=1),
            post("p", "2024-01-03", likes=2),
            *(post("q", f"2024-01-0{number}", likes=number) for number in (1, 2, 3)),
        ],
        through="2024-01-03",
    )
    assert of(table, "likes", "days_covered") == [(1, 2, 1), (2, 1, 1), (3, 2, 2)]


def test_an_unknown_post_is_counted_and_left_out_of_the_sum() -> None:
    # old is first seen 32 days after posting: only new's 4 likes are known to be of the day
    old = post("old", "2024-02-02", likes=900)
    new = post("new", "2024-02-02", posted="2024-02-02 08:00", likes=4)
    table = daily([old, new], through="2024-02-02")
    assert of(table, "posts", "unknown_posts", "likes") == [(2, 2, 1, 4)]


def test_a_rate_without_all_impressions_is_null() -> None:
    # p brings 5 engagements of 100 impressions, q 5 of nobody knows how many
    table = daily(
        [
            post("p", "2024-01-01", likes=5, impressions=100, reach=50),
            post("q", "2024-01-01", likes=5, reach=50),
        ],
        through="2024-01-01",
    )
    names = ["impressions", "engagements", "posts_without_impressions", "posts_without_reach"]
    assert of(table, *names, "engagement_rate", "reach_engagement_rate") == [
        (1, 100, 10, 1, 0, None, 0.1)
    ]


def test_a_rate_of_no_or_fewer_impressions_than_before_is_null() -> None:
    table = daily(
        [
            post("p", "2024-01-01", likes=1, impressions=0),
            post("p", "2024-01-02", likes=2, impressions=10),
            post("p", "2024-01-03", likes=3, impressions=6),
        ],
        through="2024-01-03",
    )
    assert of(table, "impressions", "engagement_rate") == [
        (1, 0, None),
        (2, 10, 0.1),
        (3, -4, None),
    ]


def test_a_counter_that_is_missing_once_is_made_good_by_the_next() -> None:
    # impressions 100, missing, 160: the 60 fall on the third; likes are known throughout
    table = daily(
        [
            post("p", "2024-01-01", likes=1, impressions=100),
            post("p", "2024-01-02", likes=2),
            post("p", "2024-01-03", likes=4, impressions=160),
        ],
        through="2024-01-04",
    )
    assert of(table, "likes", "impressions", "shares") == [
        (1, 1, 100, None),
        (2, 1, None, None),
        (3, 2, 60, None),
        (4, 0, 0, None),
    ]


def test_a_deleted_post_keeps_what_it_had_won() -> None:
    # the totals of the deleted post are zeros on the second and stale on the third: ignored.
    # Restored on the fourth, it has won 2 in three days.
    table = daily(
        [
            post("p", "2024-01-01", likes=10),
            post("p", "2024-01-02", likes=0, is_deleted=True),
            post("p", "2024-01-03", likes=10, is_deleted=True),
            post("p", "2024-01-04", likes=12, is_deleted=False),
        ],
        through="2024-01-04",
    )
    assert of(table, "likes", "posts", "days_covered") == [
        (1, 10, 1, 1),
        (2, 0, 0, 0),
        (3, 0, 0, 0),
        (4, 2, 1, 3),
    ]


def test_followers_are_carried_over_gaps_and_their_growth_falls_on_the_later_day() -> None:
    # 100 on the first, 110 on the third, 99 on the fourth
    table = daily(
        [],
        [fans("2024-01-01", 100), fans("2024-01-03", 110), fans("2024-01-04", 99)],
        through="2024-01-05",
    )
    names = ["followers", "net_new_followers", "followers_start", "follower_growth_rate"]
    assert of(table, *names, "engagements") == [
        (1, 100, None, None, None, None),
        (2, 100, 0, 100, 0.0, None),
        (3, 110, 10, 100, 0.1, None),
        (4, 99, -11, 110, -0.1, None),
        (5, 99, 0, 99, 0.0, None),
    ]


def test_growth_from_no_followers_has_no_rate() -> None:
    table = daily([], [fans("2024-01-01", 0), fans("2024-01-02", 5)], through="2024-01-02")
    assert of(table, "net_new_followers", "follower_growth_rate") == [(1, None, None), (2, 5, None)]


def test_first_replies_are_averaged_by_the_day_of_posting() -> None:
    # posted on the first: p after 60 s (told on the second), q after 120.5 s, r not yet
    table = daily(
        [
            post("p", "2024-01-01", likes=0),
            post("p", "2024-01-02", likes=0, first_reply_seconds=60.0),
            post("q", "2024-01-02", likes=0, first_reply_seconds=120.5),
            post("r", "2024-01-02", likes=0),
        ],
        through="2024-01-02",
    )
    assert of(table, "replied_posts", "reply_seconds", "mean_reply_seconds") == [
        (1, 2, 180.5, 90.25),
        (2, 0, 0.0, None),
    ]


def test_thousands_of_replies_have_the_mean_that_one_has() -> None:
    # 5,000 of a second each: in microseconds more than a count of 32 bits can hold
    rows = [post(f"p{number}", "2024-01-01", first_reply_seconds=1.0) for number in range(5000)]
    table = daily(rows, [fans("2024-01-01", 1)], through="2024-01-01")
    assert of(table, "replied_posts", "mean_reply_seconds") == [(1, 5000, 1.0)]


def test_rows_that_do_not_count_and_days_after_the_horizon_are_left_out() -> None:
    table = daily(
        [
            post("p", "2024-01-01", likes=1),
            post("p", "2024-01-01", likes=7, fate="duplicate"),
            post("p", "2024-01-02", likes=9, first_reply_seconds=5.0),
        ],
        [fans("2024-01-01", 3), fans("2024-01-01", 8, fate="duplicate"), fans("2024-01-02", 4)],
        through="2024-01-01",
    )
    assert of(table, "likes", "followers", "replied_posts") == [(1, 1, 3, 0)]


def test_nothing_landed_gives_no_rows() -> None:
    assert collected(daily([], through="2024-01-01"), SocialEngagementDaily).is_empty()
