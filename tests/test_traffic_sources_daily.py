from typing import Any

import polars as pl
import pytest
from frames import assert_rows, collected, day, frame
from session_rows import session

from schemas.base import empty
from schemas.session_days import SessionDays
from schemas.touches import Touches
from schemas.traffic_sources_daily import TrafficSourcesDaily
from transforms.touches import touches
from transforms.traffic_sources_daily import traffic_sources_daily

EMAIL = {"channel": "Email", "source": "letter", "medium": "email"}
SEARCH = {"channel": "Organic Search", "source": "google", "medium": "organic"}
DIRECT = {"channel": "Direct", "source": "(direct)", "medium": "(none)"}


def sources(sessions: list[Any], through: str = "2025-12-31", days: int = 90) -> pl.LazyFrame:
    rows = frame(SessionDays, sessions)
    before = touches(rows)
    return traffic_sources_daily(rows, before, attribution_days=days, data_through=day(through))


def of_day(table: pl.LazyFrame, date: str) -> list[tuple[Any, ...]]:
    """Channel, campaign and sessions of a day."""
    rows = collected(table, TrafficSourcesDaily).filter(pl.col("date") == day(date))
    return rows.select("channel", "campaign", "sessions").rows()


def test_sessions_visitors_and_conversions_are_counted_by_source() -> None:
    # Three sessions of two people by mail, one of which buys: 1 / 3.
    rows = [
        session("2025-02-01 10:00", **EMAIL, campaign="spring", is_converting=True),
        session("2025-02-01 12:00", **EMAIL, campaign="spring"),
        session("2025-02-01 12:00", "bob", **EMAIL, campaign="spring"),
        session("2025-02-01 12:00", "eve", **EMAIL),
        session("2025-02-01 12:00", "joe"),
    ]
    usual = {"date": day("2025-02-01"), "sessions": 1, "visitors": 1}
    none = {"converting_sessions": 0, "conversion_rate": 0.0}
    expected = [
        {
            **usual,
            **EMAIL,
            "campaign": "spring",
            "sessions": 3,
            "visitors": 2,
            "converting_sessions": 1,
            "conversion_rate": 1 / 3,
        },
        {**usual, **none, **EMAIL, "campaign": "(none)"},
        {**usual, **none, **DIRECT, "campaign": "(none)"},
    ]
    assert_rows(sources(rows), TrafficSourcesDaily, expected)


def test_a_direct_session_counts_for_the_last_one_before_it_that_was_not() -> None:
    rows = [
        session("2025-02-01 10:00", **SEARCH, campaign="brand"),
        session("2025-02-02 10:00", **EMAIL),
        session("2025-02-03 10:00"),
        session("2025-02-04 10:00", is_converting=True),
        # What comes later, and what led others here, leads nobody to an earlier session.
        session("2025-02-04 12:00", **SEARCH),
        session("2025-02-03 09:00", "bob", **SEARCH),
    ]
    table = sources(rows)
    # All that is attributed is of one session: the mail has no campaign, and takes no other's.
    assert of_day(table, "2025-02-03") == [
        ("Email", "(none)", 1),
        ("Organic Search", "(none)", 1),
    ]
    later = collected(table, TrafficSourcesDaily).filter(pl.col("date") == day("2025-02-04"))
    assert later.select("channel", "sessions", "converting_sessions", "conversion_rate").rows() == [
        ("Email", 1, 1, 1.0),
        ("Organic Search", 1, 0, 0.0),
    ]


def test_what_led_there_before_does_not_change_a_session_with_its_own_source() -> None:
    rows = [session("2025-02-01 10:00", **SEARCH), session("2025-02-02 10:00", **EMAIL)]
    assert of_day(sources(rows), "2025-02-02") == [("Email", "(none)", 1)]


@pytest.mark.parametrize(
    ("second", "channel"),
    [
        ("2025-05-02 10:00:00", "Email"),
        ("2025-05-02 10:00:00.000001", "Direct"),
    ],
)
def test_attribution_reaches_ninety_times_24_hours_back_and_no_further(
    second: str, channel: str
) -> None:
    # 1 February + 90 days = 2 May: 27 days of February after the first, 31 + 30 + 2.
    rows = [session("2025-02-01 10:00", **EMAIL), session(second)]
    assert of_day(sources(rows), "2025-05-02") == [(channel, "(none)", 1)]


def test_what_starts_at_the_same_instant_is_not_before() -> None:
    rows = [
        session("2025-02-01 10:00", session_id="a"),
        session("2025-02-01 10:00", session_id="b", **EMAIL),
    ]
    assert of_day(sources(rows), "2025-02-01") == [("Direct", "(none)", 1), ("Email", "(none)", 1)]


def test_of_two_that_started_at_one_instant_the_later_id_counts() -> None:
    rows = [
        session("2025-02-01 10:00", session_id="b", **EMAIL),
        session("2025-02-01 10:00", session_id="a", **SEARCH),
        session("2025-02-02 10:00"),
    ]
    for given in (rows, rows[::-1]):
        assert of_day(sources(given), "2025-02-02") == [("Email", "(none)", 1)]


def test_a_session_that_its_source_calls_direct_is_attributed_too() -> None:
    own = {"channel": "direct", "source": "app", "medium": "push"}
    rows = [
        session("2025-02-01 10:00", **own),
        session("2025-02-02 10:00", **EMAIL),
        session("2025-02-03 10:00", **own),
    ]
    table = sources(rows)
    assert of_day(table, "2025-02-01") == [("direct", "(none)", 1)]
    assert of_day(table, "2025-02-03") == [("Email", "(none)", 1)]


def test_days_after_the_horizon_are_not_shown() -> None:
    rows = [session("2025-02-01 10:00"), session("2025-02-02 00:00")]
    expected = [{"date": day("2025-02-01"), "sessions": 1}]
    assert_rows(sources(rows, through="2025-02-01"), TrafficSourcesDaily, expected)


def test_without_sessions_there_are_no_sources() -> None:
    table = traffic_sources_daily(
        empty(SessionDays), empty(Touches), attribution_days=90, data_through=day("2025-02-01")
    )
    assert_rows(table, TrafficSourcesDaily, [])
