from typing import Any

import polars as pl
from activity_rows import WEB, month
from frames import assert_rows, day, frame

from schemas.active_days_histogram import ActiveDaysHistogram
from schemas.user_months import UserMonths
from transforms.active_days_histogram import active_days_histogram


def histogram(months: list[Any], *, through: str, week_start: str = "monday") -> pl.LazyFrame:
    return active_days_histogram(
        frame(UserMonths, months), week_start=week_start, data_through=day(through)
    )


def row(grain: str, start: str, days: int, users: int, *, is_complete: bool) -> dict[str, Any]:
    return {
        "grain": grain,
        "period_start": day(start),
        "active_days": days,
        "users": users,
        "is_complete": is_complete,
    }


def test_people_are_counted_by_their_number_of_active_days() -> None:
    # January: u and v on 2 days, w on 3. First week (1 to 7): u 1, v 2, w 3; second: u 1.
    table = histogram(
        [month("2024-01", "u", 7, 8), month("2024-01", "v", 1, 2), month("2024-01", "w", 1, 3, 5)],
        through="2024-01-31",
    )
    assert_rows(
        table,
        ActiveDaysHistogram,
        [
            row("week", "2024-01-01", 1, 1, is_complete=True),
            row("week", "2024-01-01", 2, 1, is_complete=True),
            row("week", "2024-01-01", 3, 1, is_complete=True),
            row("week", "2024-01-08", 1, 1, is_complete=True),
            row("month", "2024-01-01", 2, 2, is_complete=True),
            row("month", "2024-01-01", 3, 1, is_complete=True),
        ],
    )


def test_a_week_over_the_turn_of_the_year_is_one_week() -> None:
    # Sunday 31 December 2023 to Saturday 6 January 2024
    table = histogram(
        [month("2023-12", "u", 31), month("2024-01", "u", 1, 6)],
        through="2024-01-06",
        week_start="sunday",
    )
    assert_rows(
        table,
        ActiveDaysHistogram,
        [
            row("week", "2023-12-31", 3, 1, is_complete=True),
            row("month", "2023-12-01", 1, 1, is_complete=True),
            row("month", "2024-01-01", 2, 1, is_complete=False),
        ],
    )


def test_only_everybody_is_counted_and_only_up_to_the_horizon() -> None:
    table = histogram(
        [month("2024-01", "u", 1, 4), month("2024-01", "u", 1, 4, **WEB), month("2024-01", "v", 4)],
        through="2024-01-03",
    )
    assert_rows(
        table,
        ActiveDaysHistogram,
        [
            row("week", "2024-01-01", 1, 1, is_complete=False),
            row("month", "2024-01-01", 1, 1, is_complete=False),
        ],
    )
