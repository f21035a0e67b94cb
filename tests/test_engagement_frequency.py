from typing import Any

import polars as pl
from frames import assert_rows, day, frame

from schemas.engagement_frequency import EngagementFrequency
from schemas.lifecycle import Lifecycle
from schemas.sessions_periodic import SessionsPeriodic
from schemas.user_days import UserDays
from transforms.engagement_frequency import engagement_frequency

EVERYBODY = {"dimension": "all", "segment": "all"}
NOBODY = {"retained_users": 0, "resurrected_users": 0, "dormant_users": 0, "is_complete": True}


def sessions(grain: str, start: str, number: int, **where: str) -> dict[str, Any]:
    counts = {"sessions": number, **(where or EVERYBODY)}
    return {"grain": grain, "period_start": day(start), **counts}


def states(grain: str, start: str, new: int, active: int, **where: str) -> dict[str, Any]:
    counts = {"new_users": new, "active_users": active, **NOBODY, **(where or EVERYBODY)}
    return {"grain": grain, "period_start": day(start), **counts}


def did(date: str, user_id: str, events: int, segments: str = "web") -> dict[str, Any]:
    row = {"event_date": day(date), "user_id": user_id, "active_events": events}
    return {**row, "segments": segments}


def frequency(visits: list[Any], people: list[Any], days: list[Any], through: str) -> pl.LazyFrame:
    return engagement_frequency(
        frame(SessionsPeriodic, visits),
        frame(Lifecycle, people),
        frame(UserDays, days),
        week_start="monday",
        data_through=day(through),
    )


def test_events_and_sessions_are_set_against_active_people_and_against_all_customers() -> None:
    # January: 4 new. February: 1 new and 1 of January, so 2 active of 5 customers.
    # 6 + 4 = 10 events: 5 per active person and 2 per customer; 3 sessions: 1.5 and 0.6.
    table = frequency(
        [sessions("month", "2025-02-01", 3)],
        [states("month", "2025-01-01", 4, 4), states("month", "2025-02-01", 1, 2)],
        [did("2025-02-03", "ada", 6), did("2025-02-28", "bob", 4)],
        "2025-02-28",
    )
    row = {
        "grain": "month",
        "period_start": day("2025-02-01"),
        "events": 10,
        "sessions": 3,
        "active_users": 2,
        "customers": 5,
        "events_per_active_user": 5.0,
        "sessions_per_active_user": 1.5,
        "events_per_customer": 2.0,
        "sessions_per_customer": 0.6,
        "is_complete": True,
    }
    february = table.filter(pl.col("period_start") == day("2025-02-01"))
    assert_rows(february, EngagementFrequency, [row])


def test_a_week_over_the_end_of_a_month_has_the_events_of_both() -> None:
    table = frequency(
        [sessions("week", "2025-01-27", 2)],
        [states("week", "2025-01-27", 1, 1)],
        [
            did("2025-01-31", "ada", 1),
            did("2025-02-01", "ada", 2),
            did("2025-02-01", "ada", 4, "x"),
        ],
        "2025-02-01",
    )
    row = {"grain": "week", "events": 7, "sessions": 2, "customers": 1, "is_complete": False}
    assert_rows(table, EngagementFrequency, [row])


def test_only_everybody_is_counted_and_only_up_to_the_horizon() -> None:
    web = {"dimension": "platform", "segment": "web"}
    table = frequency(
        [sessions("month", "2025-02-01", 1), sessions("month", "2025-02-01", 9, **web)],
        [states("month", "2025-02-01", 1, 1), states("month", "2025-02-01", 9, 9, **web)],
        [did("2025-02-01", "ada", 1), did("2025-02-02", "ada", 5)],
        "2025-02-01",
    )
    row = {"events": 1, "sessions": 1, "active_users": 1, "customers": 1, "is_complete": False}
    assert_rows(table, EngagementFrequency, [row])


def test_a_period_in_which_nobody_was_active_has_no_frequency_per_active_person() -> None:
    table = frequency(
        [sessions("month", "2025-02-01", 0)],
        [states("month", "2025-01-01", 2, 2), states("month", "2025-02-01", 0, 0)],
        [],
        "2025-02-28",
    )
    row = {
        "events": 0,
        "customers": 2,
        "events_per_active_user": None,
        "sessions_per_active_user": None,
        "events_per_customer": 0.0,
    }
    february = table.filter(pl.col("period_start") == day("2025-02-01"))
    assert_rows(february, EngagementFrequency, [row])


def test_sessions_before_anybody_was_active_are_nobody_s() -> None:
    table = frequency([sessions("month", "2025-01-01", 3)], [], [], "2025-01-31")
    row = {"sessions": 3, "active_users": 0, "customers": 0, "sessions_per_customer": None}
    assert_rows(table, EngagementFrequency, [row])
