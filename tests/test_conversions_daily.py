from typing import Any

import polars as pl
from conversion_rows import GOALS, reached, visited
from frames import assert_rows, collected, day, frame
from plan_rows import plan_row

from schemas.conversions_daily import ConversionsDaily
from schemas.plan_months import PlanMonths
from schemas.session_goals import SessionGoals
from schemas.sessions_daily import SessionsDaily
from transforms.conversions_daily import conversions_daily

FIRST, SECOND = day("2025-02-01"), day("2025-02-02")
WEB = {"dimension": "platform", "segment": "web"}
IOS = {"dimension": "platform", "segment": "ios"}


def daily(
    days: list[Any],
    goals: list[Any],
    *,
    plans: tuple[Any, ...] = (),
    through: str = "2025-02-28",
    dimensions: tuple[str, ...] = ("platform",),
    names: list[Any] = GOALS,
) -> pl.LazyFrame:
    return conversions_daily(
        frame(SessionsDaily, days),
        frame(SessionGoals, goals),
        frame(PlanMonths, plans),
        goals=names,
        dimensions=dimensions,
        data_through=day(through),
    )


def test_two_hundred_of_a_thousand_visitors_who_buy_are_a_conversion_of_a_fifth() -> None:
    # METRICS.md's worked example: 200 / 1000. In 1250 sessions, of which 250 convert, for 50 of the
    # people come twice: 250 / 1250. The first of them buys twice in one session: 251.
    people = [f"user{number}" for number in range(200)]
    goals = [reached("2025-02-01 10:00", user) for user in people]
    goals += [reached("2025-02-01 18:00", user) for user in people[:50]]
    goals[0]["conversions"] = 2
    nobody = {"conversions": 0, "converting_users": 0, "converting_sessions": 0}
    usual = {"date": FIRST, "dimension": "all", "segment": "all"}
    seen = {**usual, "visitors": 1000, "sessions": 1250}
    expected = [
        {
            **seen,
            "goal": "buy",
            "conversions": 251,
            "converting_users": 200,
            "user_conversion_rate": 0.2,
            "converting_sessions": 250,
            "session_conversion_rate": 0.2,
        },
        {**seen, **nobody, "goal": "join", "user_conversion_rate": 0, "session_conversion_rate": 0},
    ]
    assert_rows(daily([visited(1250, 1000, date=FIRST)], goals), ConversionsDaily, expected)


def test_each_goal_has_its_row_on_each_day_of_each_segment() -> None:
    days = [
        visited(1, 1, date=FIRST),
        visited(1, 1, date=FIRST, **WEB),
        visited(0, 0, date=SECOND),
        visited(0, 0, date=SECOND, **WEB),
    ]
    table = daily(days, [reached("2025-02-01 10:00", goal="join")])
    names = ["date", "goal", "dimension", "converting_users", "user_conversion_rate"]
    # Nobody there on the second: no share, rather than none of them.
    assert collected(table, ConversionsDaily).select(names).rows() == [
        (FIRST, "buy", "all", 0, 0.0),
        (FIRST, "buy", "platform", 0, 0.0),
        (FIRST, "join", "all", 1, 1.0),
        (FIRST, "join", "platform", 1, 1.0),
        (SECOND, "buy", "all", 0, None),
        (SECOND, "buy", "platform", 0, None),
        (SECOND, "join", "all", 0, None),
        (SECOND, "join", "platform", 0, None),
    ]


def test_a_person_converts_once_in_all_and_once_in_each_segment() -> None:
    days = [
        visited(2, 1, date=FIRST),
        visited(1, 1, date=FIRST, **WEB),
        visited(1, 1, date=FIRST, **IOS),
    ]
    goals = [reached("2025-02-01 10:00"), reached("2025-02-01 12:00", segments="ios")]
    table = collected(daily(days, goals, names=GOALS[:1]), ConversionsDaily)
    assert table.select("segment", "converting_users", "converting_sessions").rows() == [
        ("all", 1, 2),
        ("ios", 1, 1),
        ("web", 1, 1),
    ]


def test_the_plan_is_that_of_the_day_of_the_session() -> None:
    pro = {"dimension": "plan", "segment": "pro"}
    none = {"dimension": "plan", "segment": "none"}
    days = [visited(1, 1, date=date, **plan) for date in (FIRST, SECOND) for plan in (pro, none)]
    table = daily(
        days,
        [reached("2025-02-01 10:00"), reached("2025-02-02 10:00")],
        plans=(plan_row(FIRST, "ada", "pro", 1),),
        dimensions=("platform", "plan"),
        names=GOALS[:1],
    )
    rows = collected(table, ConversionsDaily).select("date", "segment", "converting_users")
    assert rows.rows() == [
        (FIRST, "none", 0),
        (FIRST, "pro", 1),
        (SECOND, "none", 1),
        (SECOND, "pro", 0),
    ]


def test_without_goals_or_sessions_there_are_no_rows() -> None:
    assert_rows(daily([visited(1, 1, date=FIRST)], [], names=[]), ConversionsDaily, [])
    assert_rows(daily([], []), ConversionsDaily, [])
