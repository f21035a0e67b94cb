from typing import Any

import polars as pl
from conversion_rows import GOALS, reached, visited
from frames import assert_rows, collected, day, frame

from schemas.base import empty
from schemas.conversions_periodic import ConversionsPeriodic
from schemas.plan_months import PlanMonths
from schemas.session_goals import SessionGoals
from schemas.sessions_periodic import SessionsPeriodic
from transforms.conversions_periodic import conversions_periodic


def periodic(
    periods: list[Any], goals: list[Any], through: str, week_start: str = "monday"
) -> pl.LazyFrame:
    return conversions_periodic(
        frame(SessionsPeriodic, periods),
        frame(SessionGoals, goals),
        empty(PlanMonths),
        goals=GOALS[:1],
        dimensions=["platform"],
        week_start=week_start,
        data_through=day(through),
    )


def period(grain: str, start: str, sessions: int, visitors: int, **columns: Any) -> Any:
    place = {"grain": grain, "period_start": day(start), "is_complete": True}
    return visited(sessions, visitors, **{**place, **columns})


def counts(table: pl.LazyFrame) -> list[tuple[Any, ...]]:
    names = ["grain", "period_start", "conversions", "converting_users", "converting_sessions"]
    rows = collected(table, ConversionsPeriodic).select(names)
    return rows.with_columns(pl.col("period_start").cast(pl.String)).rows()


def test_people_who_convert_on_several_days_of_a_period_are_counted_once() -> None:
    # Monday 24 February to Sunday 2 March: ada buys in both months, bob in March only.
    goals = [
        reached("2025-02-27 10:00"),
        reached("2025-02-28 10:00", conversions=2),
        reached("2025-03-01 10:00"),
        reached("2025-03-02 10:00", "bob"),
    ]
    periods = [
        period("week", "2025-02-24", 8, 4),
        period("month", "2025-02-01", 3, 2),
        period("month", "2025-03-01", 5, 4, is_complete=False),
    ]
    usual = {"goal": "buy", "dimension": "all", "segment": "all"}
    names = [
        *("grain", "period_start", "conversions", "converting_users", "visitors"),
        *("user_conversion_rate", "converting_sessions", "sessions", "session_conversion_rate"),
        "is_complete",
    ]
    values = [
        ("month", day("2025-02-01"), 3, 1, 2, 0.5, 2, 3, 2 / 3, True),
        ("month", day("2025-03-01"), 2, 2, 4, 0.5, 2, 5, 0.4, False),
        ("week", day("2025-02-24"), 5, 2, 4, 0.5, 4, 8, 0.5, True),
    ]
    expected = [{**usual, **dict(zip(names, row, strict=True))} for row in values]
    assert_rows(periodic(periods, goals, "2025-03-02"), ConversionsPeriodic, expected)


def test_a_week_begins_when_the_setting_says() -> None:
    goals = [reached("2025-03-01 10:00"), reached("2025-03-02 10:00")]
    periods = [period("week", "2025-02-23", 1, 1), period("week", "2025-03-02", 1, 1)]
    assert counts(periodic(periods, goals, "2025-03-08", "sunday")) == [
        ("week", "2025-02-23", 1, 1, 1),
        ("week", "2025-03-02", 1, 1, 1),
    ]


def test_what_was_reached_after_the_horizon_does_not_count_in_the_running_period() -> None:
    goals = [reached("2025-03-01 10:00"), reached("2025-03-02 10:00")]
    periods = [period("month", "2025-03-01", 1, 1, is_complete=False)]
    assert counts(periodic(periods, goals, "2025-03-01")) == [("month", "2025-03-01", 1, 1, 1)]


def test_without_sessions_there_are_no_periods() -> None:
    assert counts(periodic([], [], "2025-03-01")) == []
