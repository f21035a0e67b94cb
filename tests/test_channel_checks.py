"""Checks between sources, conversions and sessions: what they let pass and what they do not."""

from collections.abc import Iterable
from typing import Any

import polars as pl
from conversion_rows import visited
from frames import Row, day, frame

from pipelines.checks import CHECKS, broken
from schemas.base import Table
from schemas.conversions_daily import ConversionsDaily
from schemas.conversions_periodic import ConversionsPeriodic
from schemas.sessions_daily import SessionsDaily
from schemas.sessions_periodic import SessionsPeriodic
from schemas.traffic_sources_daily import TrafficSourcesDaily

FIRST, SECOND, MONTH = day("2025-02-01"), day("2025-02-02"), day("2025-02-01")
DAYS = [visited(3, 2, date=FIRST), visited(0, 0, date=SECOND)]
MAIL, SEARCH = {"channel": "Email", "sessions": 1}, {"channel": "Organic Search", "sessions": 2}


def is_broken(name: str, **tables: tuple[type[Table], Iterable[Row]]) -> bool:
    (check,) = (check for check in CHECKS if check.name == name)
    frames: dict[str, pl.LazyFrame] = {
        table: frame(model, rows) for table, (model, rows) in tables.items()
    }
    assert frames.keys() == set(check.tables)
    return broken(check, frames) is not None


def sources_broken(*sources: Row) -> bool:
    return is_broken(
        "sources_are_those_of_the_sessions",
        traffic_sources_daily=(TrafficSourcesDaily, sources),
        sessions_daily=(SessionsDaily, DAYS),
    )


def test_the_sessions_of_all_sources_are_those_of_the_day() -> None:
    mail, search = ({"date": FIRST, **each} for each in (MAIL, SEARCH))
    # 1 + 2 = 3 on the first, none on the second; the third is not known to sessions_daily yet.
    assert not sources_broken(mail, search, {"date": day("2025-02-03"), **MAIL})
    assert sources_broken(mail)
    assert sources_broken(mail, search, {"date": SECOND, **MAIL})


def conversions(*rows: Row) -> tuple[type[Table], list[Row]]:
    return ConversionsDaily, [{"goal": "buy", **row} for row in rows]


def daily_broken(*rows: Row) -> bool:
    return is_broken(
        "daily_conversions_are_of_the_sessions",
        conversions_daily=conversions(*rows),
        sessions_daily=(SessionsDaily, DAYS),
    )


def test_every_goal_stands_beside_the_sessions_and_visitors_of_its_day() -> None:
    assert not daily_broken(*DAYS)
    assert not daily_broken(*DAYS, *({**row, "goal": "join"} for row in DAYS))
    assert daily_broken(DAYS[0])
    assert daily_broken(*DAYS, {**DAYS[0], "goal": "join"})
    assert daily_broken({**DAYS[0], "visitors": 3}, DAYS[1])


def test_every_goal_stands_beside_the_sessions_and_visitors_of_its_period() -> None:
    period: Any = visited(3, 2, grain="month", period_start=MONTH)
    for given, expected in ((period, False), ({**period, "sessions": 4}, True)):
        found = is_broken(
            "periodic_conversions_are_of_the_sessions",
            conversions_periodic=(ConversionsPeriodic, [{"goal": "buy", **given}]),
            sessions_periodic=(SessionsPeriodic, [period]),
        )
        assert found is expected


def test_the_conversions_of_a_month_are_those_of_its_days() -> None:
    def counted(conversions: int, sessions: int, **columns: Any) -> Any:
        found = {"conversions": conversions, "converting_sessions": sessions, "goal": "buy"}
        return visited(9, 9, **found, **columns)

    # 2 + 3 conversions in 1 + 2 sessions.
    days = [counted(2, 1, date=FIRST), counted(3, 2, date=SECOND)]
    for month, expected in (((5, 3), False), ((5, 2), True), ((4, 3), True)):
        row = counted(*month, grain="month", period_start=MONTH)
        found = is_broken(
            "conversions_of_days_are_those_of_the_month",
            conversions_periodic=(ConversionsPeriodic, [row]),
            conversions_daily=(ConversionsDaily, days),
        )
        assert found is expected
