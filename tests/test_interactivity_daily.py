from typing import Any

import polars as pl
from frames import assert_rows, collected, day, frame

from schemas.interaction_days import InteractionDays
from schemas.interactivity_daily import InteractivityDaily
from schemas.sessions_daily import SessionsDaily
from transforms.interactivity_daily import interactivity_daily

MONTH = "2025-01"


def done(date: int, action: str, actions: int, users: int) -> dict[str, Any]:
    where = {"event_date": day(f"{MONTH}-{date:02}"), "action": action}
    return {**where, "actions": actions, "users": users}


def daily(
    interactions: list[Any], sessions: dict[int, int], through: int, **segment: str
) -> pl.LazyFrame:
    """``sessions`` are the numbers of sessions by day."""
    where = {"dimension": "all", "segment": "all", **segment}
    rows = [
        {"date": day(f"{MONTH}-{date:02}"), "sessions": number} for date, number in sessions.items()
    ]
    return interactivity_daily(
        frame(InteractionDays, interactions),
        frame(SessionsDaily, rows, **where),
        data_through=day(f"{MONTH}-{through:02}"),
    )


def of(table: pl.LazyFrame) -> list[tuple[Any, ...]]:
    found = collected(table, InteractivityDaily)
    names = ["action", "actions", "users", "sessions", "actions_per_session", "is_complete"]
    return found.select(pl.col("date").dt.day(), *names).rows()


def test_actions_stand_beside_all_sessions_of_the_day() -> None:
    # 6 clicks in 4 sessions: 1.5 per session; 1 share: 0.25.
    table = daily([done(1, "click", 6, 3), done(1, "share", 1, 1)], {1: 4}, 1)
    assert of(table) == [(1, "click", 6, 3, 4, 1.5, True), (1, "share", 1, 1, 4, 0.25, True)]


def test_every_day_stands_here_from_the_action_s_first_to_the_horizon() -> None:
    # Clicks from the first on, shares from the third on; on the second there is no session either.
    interactions = [done(1, "click", 2, 1), done(3, "share", 5, 2)]
    assert of(daily(interactions, {1: 2, 2: 0, 3: 10, 4: 1}, 4)) == [
        (1, "click", 2, 1, 2, 1.0, True),
        (2, "click", 0, 0, 0, None, True),
        (3, "click", 0, 0, 10, 0.0, True),
        (3, "share", 5, 2, 10, 0.5, True),
        (4, "click", 0, 0, 1, 0.0, True),
        (4, "share", 0, 0, 1, 0.0, True),
    ]


def test_an_action_on_a_day_on_which_no_session_starts_has_no_ratio() -> None:
    # After midnight, in a session of the day before, which is the first of history.
    assert of(daily([done(2, "click", 1, 1)], {1: 1, 2: 0}, 2)) == [
        (2, "click", 1, 1, 0, None, True)
    ]
    assert of(daily([done(2, "click", 1, 1)], {}, 2)) == [(2, "click", 1, 1, 0, None, True)]


def test_sessions_of_segments_are_not_counted_again() -> None:
    table = daily([done(1, "click", 1, 1)], {1: 7}, 1, dimension="platform", segment="web")
    assert_rows(table, InteractivityDaily, [{"sessions": 0}])


def test_what_happens_after_the_horizon_is_not_shown() -> None:
    table = daily([done(1, "click", 1, 1), done(2, "click", 1, 1), done(2, "share", 1, 1)], {}, 1)
    assert [row[:2] for row in of(table)] == [(1, "click")]


def test_no_actions_give_no_rows() -> None:
    assert of(daily([], {1: 3}, 3)) == []
