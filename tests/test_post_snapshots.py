from frames import assert_rows, at, day, frame

from schemas.landed_social_posts import LandedSocialPosts
from schemas.post_snapshots import PostSnapshots
from transforms.post_snapshots import post_snapshots

SNAPSHOT = {
    "platform": "photos",
    "account": "acme",
    "post_id": "p",
    "posted_ts": at("2024-01-01 10:00"),
    "snapshot_day": day("2024-01-02"),
    "event_date": day("2024-01-02"),
    "landing_date": day("2024-01-03"),
    "file": "a.csv",
    "line": 1,
}


def test_the_last_row_to_land_counts_for_its_post_and_day() -> None:
    # In turn: landed later; same day, later file; same file, later line; same line, later item.
    rows = [
        {"likes": 1},
        {"likes": 2, "landing_date": day("2024-01-04")},
        {"likes": 3, "landing_date": day("2024-01-04"), "file": "b.csv"},
        {"likes": 4, "landing_date": day("2024-01-04"), "file": "b.csv", "line": 2},
        {"likes": 5, "landing_date": day("2024-01-04"), "file": "b.csv", "line": 2, "item": 2},
    ]
    assert_rows(
        post_snapshots(frame(LandedSocialPosts, reversed(rows), **SNAPSHOT)),
        PostSnapshots,
        [
            {"likes": likes, "fate": "counts" if likes == 5 else "duplicate"}
            for likes in (1, 2, 3, 4, 5)
        ],
    )


def test_another_platform_account_post_or_day_is_another_snapshot() -> None:
    rows = [
        {"line": 1},
        {"line": 2, "platform": "videos"},
        {"line": 3, "account": "beta"},
        {"line": 4, "post_id": "q"},
        {"line": 5, "snapshot_day": day("2024-01-03")},
    ]
    assert_rows(
        post_snapshots(frame(LandedSocialPosts, rows, **SNAPSHOT)),
        PostSnapshots,
        [{"line": line, "fate": "counts"} for line in (1, 2, 3, 4, 5)],
    )
