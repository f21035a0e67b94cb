from collections.abc import Sequence
from typing import Any

import polars as pl
from frames import Row, assert_rows, collected, day, frame
from session_rows import SETTINGS, seen

from schemas.base import empty
from schemas.events import Events
from schemas.session_days import SessionDays
from schemas.session_goals import SessionGoals
from schemas.stitches import Stitches
from transforms.session_days import session_days
from transforms.session_goals import session_goals

BUY = {"name": "buy", "events": ["purchase", "renewal"]}
JOIN = {"name": "join", "events": ["signup"]}


def reached(
    rows: Sequence[Row], goals: Sequence[Any] = (BUY, JOIN), *, use_source_sessions: bool = False
) -> pl.LazyFrame:
    numbered = [{"event_id": f"e{number}", **row} for number, row in enumerate(rows)]
    events, stitches = frame(Events, numbered), empty(Stitches)
    options = {**SETTINGS, "use_source_sessions": use_source_sessions}
    sessions = collected(session_days(events, stitches, empty(SessionDays), **options), SessionDays)
    return session_goals(
        sessions.lazy(), events, stitches, goals=goals, use_source_sessions=use_source_sessions
    )


def did(ts: str, event_name: str, user_id: str | None = "ada", **columns: Any) -> Row:
    return seen(ts, user_id, event_name=event_name, **columns)


def goals_of(table: pl.LazyFrame) -> list[tuple[Any, ...]]:
    return collected(table, SessionGoals).select("user_id", "goal", "conversions").rows()


def test_events_of_a_goal_are_counted_per_session() -> None:
    rows = [
        seen("2025-02-01 10:00", platform="web"),
        did("2025-02-01 10:01", "purchase"),
        did("2025-02-01 10:02", "renewal"),
        did("2025-02-01 10:03", "signup"),
        did("2025-02-01 12:00", "purchase", platform="ios"),
        seen("2025-02-01 12:00", "bob"),
    ]
    usual = {"date": day("2025-02-01"), "user_id": "ada"}
    first = {**usual, "session_id": "ada@1738404000000000"}
    second = {**usual, "session_id": "ada@1738411200000000"}
    web, ios = (f"{name}\x1funknown\x1fDirect" for name in ("web", "ios"))
    expected = [
        {**first, "goal": "buy", "conversions": 2, "segments": web},
        {**first, "goal": "join", "conversions": 1, "segments": web},
        {**second, "goal": "buy", "conversions": 1, "segments": ios},
    ]
    assert_rows(reached(rows), SessionGoals, expected)


def test_an_event_of_two_goals_counts_for_each_and_once_in_one_that_names_it_twice() -> None:
    goals = [BUY, {"name": "spend", "events": ["purchase", "purchase"]}]
    table = reached([did("2025-02-01 10:00", "purchase")], goals)
    assert goals_of(table) == [("ada", "buy", 1), ("ada", "spend", 1)]


def test_a_goal_reached_after_midnight_is_of_the_day_on_which_the_session_started() -> None:
    rows = [seen("2025-01-31 23:50"), did("2025-02-01 00:10", "purchase")]
    assert_rows(reached(rows), SessionGoals, [{"date": day("2025-01-31"), "goal": "buy"}])


def test_what_is_part_of_no_session_reaches_no_goal() -> None:
    opened = [{"name": "open", "events": ["email_opened"]}]
    rows = [seen("2025-02-01 10:00"), did("2025-02-01 10:01", "email_opened")]
    assert goals_of(reached(rows, opened)) == []


def test_a_goal_is_of_the_source_s_own_session() -> None:
    rows = [
        seen("2025-02-01 10:00", session_id="s1"),
        seen("2025-02-01 10:01", session_id="s2"),
        did("2025-02-01 10:02", "purchase", session_id="s1"),
    ]
    table = reached(rows, use_source_sessions=True)
    assert_rows(table, SessionGoals, [{"session_id": "ada@1738404000000000.s1", "goal": "buy"}])


def test_who_is_known_later_reaches_a_goal_as_the_same_person() -> None:
    rows = [did("2025-02-01 10:00", "purchase", None, anonymous_id="x")]
    assert goals_of(reached(rows)) == [("x", "buy", 1)]


def test_without_goals_none_is_reached() -> None:
    assert goals_of(reached([did("2025-02-01 10:00", "purchase")], [])) == []
