from typing import Any

import polars as pl
from frames import assert_rows, day, frame
from session_rows import session, visitor

from schemas.base import empty
from schemas.plan_months import PlanMonths
from schemas.session_days import SessionDays
from schemas.sessions_periodic import SessionsPeriodic
from schemas.visitors import Visitors
from transforms.sessions_periodic import sessions_periodic
from transforms.visitor_segments import visitor_segments


def periodic(
    sessions: list[Any], visitors: list[Any], through: str, week_start: str = "monday"
) -> pl.LazyFrame:
    first = frame(Visitors, visitors)
    return sessions_periodic(
        frame(SessionDays, sessions),
        empty(PlanMonths),
        first,
        visitor_segments(first),
        dimensions=[],
        week_start=week_start,
        data_through=day(through),
    )


COLUMNS = (
    *("grain", "period_start", "sessions", "visitors", "new_visitors", "returning_visitors"),
    "is_complete",
)


def rows(*values: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, (v[0], day(v[1]), *v[2:]), strict=True)) for v in values]


# Monday 27 January 2025 to Sunday 2 February is one week.
SESSIONS = [
    session("2025-01-31 10:00"),
    session("2025-02-01 10:00"),
    session("2025-02-01 11:00", "bob"),
    session("2025-02-04 10:00"),
]
PEOPLE = [visitor("2025-01-31"), visitor("2025-02-01", "bob")]


def test_visitors_are_distinct_in_the_week_and_in_the_month() -> None:
    assert_rows(
        periodic(SESSIONS, PEOPLE, "2025-02-04"),
        SessionsPeriodic,
        rows(
            ("week", "2025-01-27", 3, 2, 2, 0, True),
            ("week", "2025-02-03", 1, 1, 0, 1, False),
            ("month", "2025-01-01", 1, 1, 1, 0, True),
            # ada came back, bob was new: 1 of 2.
            ("month", "2025-02-01", 3, 2, 1, 1, False),
        ),
    )


def test_weeks_begin_on_the_day_that_the_setting_says() -> None:
    # Sunday 26 January to Saturday 1 February; Sunday 2 to Saturday 8 February.
    table = periodic(SESSIONS, PEOPLE, "2025-02-08", "sunday")
    assert_rows(
        table.filter(pl.col("grain") == "week"),
        SessionsPeriodic,
        rows(("week", "2025-01-26", 3, 2, 2, 0, True), ("week", "2025-02-02", 1, 1, 0, 1, True)),
    )


def test_a_period_without_sessions_has_its_row() -> None:
    table = periodic(SESSIONS[:1], PEOPLE[:1], "2025-02-10")
    assert_rows(
        table.filter(pl.col("sessions") == 0),
        SessionsPeriodic,
        rows(
            ("week", "2025-02-03", 0, 0, 0, 0, True),
            ("week", "2025-02-10", 0, 0, 0, 0, False),
            ("month", "2025-02-01", 0, 0, 0, 0, False),
        ),
    )


def test_ratios_are_of_the_period_and_no_mean_of_its_days() -> None:
    # Two sessions of one page view on one day, one of four pages on another: 6 / 3 pages, bounce
    # 2 / 3, and seconds (0 + 0 + 90) / 3 = 30, of which the middle one is 0.
    visits = [
        session("2025-02-03 10:00"),
        session("2025-02-03 12:00", "bob"),
        session("2025-02-04 10:00", seconds=90, page_views=4),
    ]
    table = periodic(visits, PEOPLE, "2025-02-09").filter(
        pl.col("period_start") == day("2025-02-03")
    )
    row = {
        "pages_per_session": 2.0,
        "bounce_rate": 2 / 3,
        "mean_session_seconds": 30.0,
        "median_session_seconds": 0.0,
        "unengaged_rate": 2 / 3,
        "is_complete": True,
    }
    assert_rows(table, SessionsPeriodic, [row])
