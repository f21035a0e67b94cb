from typing import Any

import polars as pl
from frames import assert_rows, day, frame
from session_rows import session, visitor

from schemas.base import empty
from schemas.plan_months import PlanMonths
from schemas.session_days import SessionDays
from schemas.sessions_daily import SessionsDaily
from schemas.visitors import Visitors
from transforms.sessions_daily import sessions_daily
from transforms.visitor_segments import visitor_segments

FIRST, SECOND = day("2025-02-01"), day("2025-02-02")
WEB = {"dimension": "platform", "segment": "web"}
IOS = {"dimension": "platform", "segment": "ios"}


def daily(
    sessions: list[Any], visitors: list[Any], through: str, dimensions: tuple[str, ...] = ()
) -> pl.LazyFrame:
    first = frame(Visitors, visitors)
    return sessions_daily(
        frame(SessionDays, sessions),
        empty(PlanMonths),
        first,
        visitor_segments(first),
        dimensions=dimensions,
        data_through=day(through),
    )


def test_five_sessions_of_which_two_have_one_page_view_bounce_at_two_fifths() -> None:
    # METRICS.md's worked example. Pages 1 + 1 + 2 + 3 + 3 = 10: two per session.
    # Seconds 0, 5, 60, 100, 600: 765 in all, 153 on average, 60 in the middle.
    # Engaged: not the two with one page view and at most ten seconds.
    made = [(1, 0), (1, 5), (2, 60), (3, 100), (3, 600)]
    rows = [
        session(f"2025-02-01 1{number}:00", f"user{number}", seconds, page_views=pages)
        for number, (pages, seconds) in enumerate(made)
    ]
    people = [visitor("2025-02-01", f"user{number}") for number in range(5)]
    row = {
        "date": FIRST,
        "sessions": 5,
        "page_views": 10,
        "pages_per_session": 2.0,
        "mean_session_seconds": 153.0,
        "median_session_seconds": 60.0,
        "time_spent_seconds": 765.0,
        "page_view_sessions": 5,
        "bounced_sessions": 2,
        "bounce_rate": 0.4,
        "unengaged_sessions": 2,
        "unengaged_rate": 0.4,
    }
    assert_rows(daily(rows, people, "2025-02-01"), SessionsDaily, [row])


def test_sessions_without_a_page_view_do_not_count_in_the_bounce_rate() -> None:
    rows = [
        session("2025-02-01 10:00", page_views=0),
        session("2025-02-01 12:00", page_views=1),
        session("2025-02-01 14:00", page_views=2),
    ]
    # One of the two with a page view: 0.5. Three page views in three sessions.
    row = {
        "sessions": 3,
        "page_view_sessions": 2,
        "bounced_sessions": 1,
        "bounce_rate": 0.5,
        "pages_per_session": 1.0,
    }
    assert_rows(daily(rows, [visitor("2025-02-01")], "2025-02-01"), SessionsDaily, [row])


def test_visitors_are_new_on_the_day_of_their_first_session_and_counted_once_a_day() -> None:
    rows = [
        session("2025-02-01 10:00"),
        session("2025-02-01 12:00"),
        session("2025-02-02 10:00"),
        session("2025-02-02 10:00", "bob"),
        session("2025-02-02 11:00", "cyd"),
        session("2025-02-02 12:00", "dee"),
    ]
    people = [
        visitor("2025-02-01"),
        *(visitor("2025-02-02", name) for name in ("bob", "cyd", "dee")),
    ]
    columns = ("date", "sessions", "visitors", "new_visitors", "returning_visitors")
    expected = [(FIRST, 2, 1, 1, 0, 1.0), (SECOND, 4, 4, 3, 1, 0.75)]
    assert_rows(
        daily(rows, people, "2025-02-02"),
        SessionsDaily,
        [dict(zip((*columns, "new_visitor_share"), row, strict=True)) for row in expected],
    )


def test_a_day_without_sessions_has_zeros_and_no_ratios() -> None:
    table = daily([session("2025-02-01 10:00")], [visitor("2025-02-01")], "2025-02-02")
    row = {
        "date": SECOND,
        "sessions": 0,
        "visitors": 0,
        "new_visitors": 0,
        "returning_visitors": 0,
        "page_views": 0,
        "time_spent_seconds": 0.0,
        "page_view_sessions": 0,
        "bounced_sessions": 0,
        "unengaged_sessions": 0,
        **dict.fromkeys(
            (
                *("new_visitor_share", "pages_per_session", "mean_session_seconds"),
                *("median_session_seconds", "bounce_rate", "unengaged_rate"),
            )
        ),
    }
    assert_rows(table.filter(pl.col("date") == SECOND), SessionsDaily, [row])


def test_a_visitor_of_two_segments_counts_in_each_from_its_first_day_on() -> None:
    rows = [
        session("2025-02-01 10:00", segments="web"),
        session("2025-02-02 10:00", segments="web"),
        session("2025-02-02 12:00", segments="ios"),
    ]
    people = [
        visitor("2025-02-01"),
        visitor("2025-02-01", **WEB),
        visitor("2025-02-02", **IOS),
    ]
    columns = ("date", "dimension", "segment", "sessions", "visitors", "new_visitors")
    expected = [
        (FIRST, "all", "all", 1, 1, 1),
        (FIRST, "platform", "web", 1, 1, 1),
        (SECOND, "all", "all", 2, 1, 0),
        (SECOND, "platform", "web", 1, 1, 0),
        # New in the segment, though not new in all.
        (SECOND, "platform", "ios", 1, 1, 1),
    ]
    assert_rows(
        daily(rows, people, "2025-02-02", ("platform",)),
        SessionsDaily,
        [dict(zip(columns, row, strict=True)) for row in expected],
    )


def test_days_after_the_horizon_are_not_shown() -> None:
    rows = [session("2025-02-01 10:00"), session("2025-02-02 10:00")]
    table = daily(rows, [visitor("2025-02-01")], "2025-02-01")
    assert_rows(table, SessionsDaily, [{"date": FIRST, "sessions": 1}])
    nobody_yet = daily(rows[1:], [visitor("2025-02-02")], "2025-02-01")
    assert_rows(nobody_yet, SessionsDaily, [])


def test_a_mean_is_that_of_whole_microseconds() -> None:
    # 0.1 + 0.2 + 0.3 s: 0.6 s in all and 0.2 s each.
    rows = [
        session(f"2025-02-01 1{number}:00", seconds=tenths / 10)
        for number, tenths in enumerate((1, 2, 3))
    ]
    row = {"time_spent_seconds": 0.6, "mean_session_seconds": 0.6 / 3}
    assert_rows(daily(rows, [visitor("2025-02-01")], "2025-02-01"), SessionsDaily, [row])
