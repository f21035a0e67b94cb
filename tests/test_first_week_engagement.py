from typing import Any

import polars as pl
from activity_rows import WEB, first, month, since
from frames import assert_rows, collected, day, frame

from schemas.first_week_engagement import FirstWeekEngagement
from schemas.segments import Segments
from schemas.user_months import UserMonths
from schemas.users import Users
from transforms.first_week_engagement import first_week_engagement


def engagement(months: list[Any], people: list[Any], *, start: str, through: str) -> pl.LazyFrame:
    return first_week_engagement(
        frame(UserMonths, months),
        frame(Users, people),
        frame(Segments, [since(start)]),
        data_through=day(through),
    )


def test_days_1_to_6_tell_who_returned() -> None:
    # u: days 0 and 6; v: day 0 and, too late, day 7; w: day 0 only, with a key feature.
    # 2 of 3 dropped; 2 + 1 + 1 = 4 active days, 4 / 3 each.
    table = engagement(
        [
            month("2024-01", "u", 1, 7),
            month("2024-01", "v", 1, 8, key=(8,)),
            month("2024-01", "w", 1, key=(1,)),
        ],
        [first("2024-01-01", name) for name in "uvw"],
        start="2024-01-01",
        through="2024-01-08",
    )
    row = collected(table, FirstWeekEngagement).row(0, named=True)
    assert row == {
        "cohort_date": day("2024-01-01"),
        "cohort_users": 3,
        "returned_users": 1,
        "dropped_users": 2,
        "dropout_rate": 2 / 3,
        "active_user_days": 4,
        "mean_active_days": 4 / 3,
        "key_feature_users": 1,
        "key_feature_rate": 1 / 3,
        "is_complete": True,
    }


def test_a_first_week_goes_on_into_the_next_month() -> None:
    # Thursday 29 February 2024 and six days: up to 6 March
    table = engagement(
        [month("2024-02", "u", 29), month("2024-03", "u", 1, 6, 7, key=(6,))],
        [first("2024-02-29", "u")],
        start="2024-02-29",
        through="2024-03-31",
    )
    rows = collected(table, FirstWeekEngagement)
    columns = ["returned_users", "active_user_days", "key_feature_users"]
    assert rows.select(columns).row(0) == (1, 3, 1)


def test_a_day_without_anybody_new_has_a_row_without_rates() -> None:
    table = engagement(
        [month("2024-01", "u", 1, 2)],
        [first("2024-01-01", "u")],
        start="2024-01-01",
        through="2024-01-02",
    )
    columns = ["cohort_date", "cohort_users", "dropped_users", "dropout_rate", "mean_active_days"]
    columns.append("key_feature_rate")
    rows = collected(table, FirstWeekEngagement).select(columns).rows()
    assert rows[1] == (day("2024-01-02"), 0, 0, None, None, None)


def test_a_key_feature_counts_once_per_person_and_on_days_0_to_6_only() -> None:
    # u uses it on days 0, 2 and 6: once. v on day 7: too late. w never. 1 of 3.
    table = engagement(
        [
            month("2024-01", "u", 1, 3, 7, key=(1, 3, 7)),
            month("2024-01", "v", 1, 8, key=(8,)),
            month("2024-01", "w", 1, 2),
        ],
        [first("2024-01-01", name) for name in "uvw"],
        start="2024-01-01",
        through="2024-01-08",
    )
    columns = ["cohort_users", "key_feature_users", "key_feature_rate"]
    assert collected(table, FirstWeekEngagement).select(columns).row(0) == (3, 1, 1 / 3)


def test_a_key_feature_used_after_the_horizon_is_not_seen() -> None:
    table = engagement(
        [month("2024-01", "u", 1, 3, key=(3,))],
        [first("2024-01-01", "u")],
        start="2024-01-01",
        through="2024-01-02",
    )
    assert collected(table, FirstWeekEngagement)["key_feature_rate"].to_list() == [0.0, None]


def test_a_week_is_complete_when_day_6_has_ended() -> None:
    # of the horizon the 7th, the 1st has its week behind it, the 2nd has not
    table = engagement(
        [month("2024-01", "u", 1), month("2024-01", "v", 2, 8)],
        [first("2024-01-01", "u"), first("2024-01-02", "v")],
        start="2024-01-01",
        through="2024-01-07",
    )
    rows = collected(table, FirstWeekEngagement)
    complete = rows.filter("is_complete")["cohort_date"]
    assert complete.to_list() == [day("2024-01-01")]
    # v's return on the 8th is not seen yet
    assert rows["returned_users"].sum() == 0


def test_only_everybodys_rows_count() -> None:
    table = engagement(
        [month("2024-01", "u", 1), month("2024-01", "u", 1, **WEB)],
        [first("2024-01-01", "u"), first("2024-01-01", "u", **WEB)],
        start="2024-01-01",
        through="2024-01-01",
    )
    assert_rows(
        table,
        FirstWeekEngagement,
        [{"cohort_date": day("2024-01-01"), "cohort_users": 1, "dropped_users": 1}],
    )
