from frames import assert_rows, day, frame

from schemas.account_snapshots import AccountSnapshots
from schemas.landed_social_accounts import LandedSocialAccounts
from transforms.account_snapshots import account_snapshots

SNAPSHOT = {
    "platform": "photos",
    "account": "acme",
    "snapshot_day": day("2024-01-02"),
    "event_date": day("2024-01-02"),
    "landing_date": day("2024-01-03"),
    "file": "a.csv",
}


def test_the_last_row_to_land_counts_for_its_account_and_day() -> None:
    rows = [
        {"line": 1, "followers": 10, "landing_date": day("2024-01-04")},
        {"line": 2, "followers": 20},
        {"line": 3, "followers": 30, "account": "beta"},
        {"line": 4, "followers": 40, "snapshot_day": day("2024-01-03")},
    ]
    assert_rows(
        account_snapshots(frame(LandedSocialAccounts, rows, **SNAPSHOT)),
        AccountSnapshots,
        [
            {"followers": 10, "fate": "counts"},
            {"followers": 20, "fate": "duplicate"},
            {"followers": 30, "fate": "counts"},
            {"followers": 40, "fate": "counts"},
        ],
    )
