from typing import Any

import polars as pl
from activity_rows import EVERYBODY, WEB, month, since
from frames import assert_rows, collected, day, frame

from schemas.active_users_periodic import ActiveUsersPeriodic
from schemas.segments import Segments
from schemas.user_months import UserMonths
from transforms.active_users_periodic import active_users_periodic


def periodic(
    months: list[Any], starts: list[Any], *, through: str, week_start: str = "monday"
) -> pl.LazyFrame:
    return active_users_periodic(
        frame(UserMonths, months),
        frame(Segments, starts),
        dimensions=["platform"],
        week_start=week_start,
        data_through=day(through),
    )


def row(grain: str, start: str, users: int, days: int, elapsed: int, **rest: Any) -> dict[str, Any]:
    mean = days / elapsed
    return {
        "grain": grain,
        "period_start": day(start),
        **EVERYBODY,
        "active_users": users,
        "active_user_days": days,
        "elapsed_days": elapsed,
        "mean_dau": mean,
        "stickiness_ratio": mean / users if users else None,
        **rest,
    }


def test_periods_count_each_person_once_and_average_the_days() -> None:
    # u on three days, v on one: 2 people, 4 days. January: 4 / 31 a day.
    # Weeks: 1-7 January u, u; 8-14 u, v; the other weeks nobody.
    table = periodic(
        [month("2024-01", "u", 1, 7, 8), month("2024-01", "v", 14)],
        [since("2024-01-01")],
        through="2024-01-31",
    )
    assert_rows(
        table,
        ActiveUsersPeriodic,
        [
            row("week", "2024-01-01", 1, 2, 7, is_complete=True),
            row("week", "2024-01-08", 2, 2, 7, is_complete=True),
            row("week", "2024-01-15", 0, 0, 7, is_complete=True),
            row("week", "2024-01-22", 0, 0, 7, is_complete=True),
            row("week", "2024-01-29", 0, 0, 3, is_complete=False),
            row("month", "2024-01-01", 2, 4, 31, is_complete=True),
        ],
    )


def test_a_week_that_spills_into_the_next_month_is_counted_whole() -> None:
    # 26 February to 3 March 2024, over the leap day: u on 26, 29 and 3, v on 1 March only
    table = periodic(
        [
            month("2024-02", "u", 26, 29),
            month("2024-03", "u", 3, 4),
            month("2024-03", "v", 1),
        ],
        [since("2024-02-26")],
        through="2024-03-03",
    )
    weeks = collected(table, ActiveUsersPeriodic).filter(pl.col("grain") == "week")
    columns = ["period_start", "active_users", "active_user_days", "elapsed_days", "is_complete"]
    assert weeks.select(columns).rows() == [(day("2024-02-26"), 2, 4, 7, True)]


def test_the_first_week_may_start_in_the_month_before_the_first_activity() -> None:
    # Saturday 1 June 2024 belongs to the week of Monday 27 May; history has 2 of its days
    table = periodic([month("2024-06", "u", 1)], [since("2024-06-01")], through="2024-06-02")
    assert_rows(
        table,
        ActiveUsersPeriodic,
        [
            row("week", "2024-05-27", 1, 1, 2, is_complete=True),
            row("month", "2024-06-01", 1, 1, 2, is_complete=False),
        ],
    )


def test_weeks_start_on_the_day_of_the_setting() -> None:
    # Sunday 31 December 2023 starts a week when Sundays do, and ends one when Mondays do
    months = [month("2023-12", "u", 31), month("2024-01", "u", 1)]
    for week_start, expected in (
        ("sunday", [(day("2023-12-31"), 2)]),
        ("monday", [(day("2023-12-25"), 1), (day("2024-01-01"), 1)]),
        ("tuesday", [(day("2023-12-26"), 2)]),
    ):
        table = periodic(months, [since("2023-12-31")], through="2024-01-01", week_start=week_start)
        weeks = collected(table, ActiveUsersPeriodic).filter(pl.col("grain") == "week")
        assert weeks.select("period_start", "active_user_days").rows() == expected


def test_a_segment_starts_with_the_period_of_its_own_first_day() -> None:
    table = periodic(
        [month("2024-01", "u", 1), month("2024-02", "u", 20), month("2024-02", "u", 20, **WEB)],
        [since("2024-01-01"), since("2024-02-20", **WEB)],
        through="2024-02-29",
    )
    web = collected(table, ActiveUsersPeriodic).filter(pl.col("segment") == "web")
    # elapsed days count from everybody's first day, not from the segment's
    assert web.select("grain", "period_start", "elapsed_days").rows() == [
        ("month", day("2024-02-01"), 29),
        ("week", day("2024-02-19"), 7),
        ("week", day("2024-02-26"), 4),
    ]


def test_a_person_active_only_after_the_horizon_is_not_counted() -> None:
    table = periodic(
        [month("2024-01", "u", 1), month("2024-01", "v", 11)],
        [since("2024-01-01")],
        through="2024-01-10",
    )
    months = collected(table, ActiveUsersPeriodic).filter(pl.col("grain") == "month")
    assert months.select("active_users", "elapsed_days", "is_complete").rows() == [(1, 10, False)]
