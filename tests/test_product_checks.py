"""Checks of the product tables: what they let pass and what they do not."""

from collections.abc import Iterable
from typing import Any

import polars as pl
from frames import Row, day, frame

from pipelines.checks import CHECKS, broken
from schemas.active_users_daily import ActiveUsersDaily
from schemas.active_users_periodic import ActiveUsersPeriodic
from schemas.base import Table
from schemas.feature_usage import FeatureUsage
from schemas.funnel_daily import FunnelDaily

ALL = {"dimension": "all", "segment": "all"}
FIRST, SECOND = day("2024-01-01"), day("2024-01-02")


def is_broken(name: str, **tables: tuple[type[Table], Iterable[Row]]) -> bool:
    (check,) = (check for check in CHECKS if check.name == name)
    frames: dict[str, pl.LazyFrame] = {
        table: frame(model, rows) for table, (model, rows) in tables.items()
    }
    assert frames.keys() == set(check.tables)
    return broken(check, frames) is not None


def usage(active: int, grain: str = "day", **rest: Any) -> Row:
    row = {"grain": grain, "period_start": FIRST, "feature": "export", **ALL}
    return {**row, "active_users": active, **rest}


def audience_broken(*rows: Row) -> bool:
    week = {"grain": "week", "period_start": FIRST, "active_users": 5, **ALL}
    return is_broken(
        "features_are_used_by_the_active",
        feature_usage=(FeatureUsage, rows),
        active_users_daily=(ActiveUsersDaily, [{"date": FIRST, "dau": 3, **ALL}]),
        active_users_periodic=(ActiveUsersPeriodic, [week]),
    )


def test_the_audience_of_a_feature_is_that_of_the_activity_tables() -> None:
    # 3 on the day, 5 in the week; a day of which nothing else is known cannot be right.
    assert not audience_broken(usage(3), usage(5, "week"))
    assert audience_broken(usage(2))
    assert audience_broken(usage(3, "week"))
    assert audience_broken(usage(3, period_start=SECOND))


def launch_broken(*users: int) -> bool:
    rows = [
        usage(9, feature_users=people, period_start=when, first_seen_date=FIRST)
        for people, when in zip(users, (FIRST, SECOND), strict=True)
    ]
    return is_broken("features_begin_when_first_seen", feature_usage=(FeatureUsage, rows))


def test_a_feature_has_users_on_the_day_on_which_it_was_first_seen() -> None:
    assert not launch_broken(1, 0)
    assert launch_broken(0, 1)
    assert launch_broken(0, 0)


def funnel_broken(*steps: tuple[int, int | None, int]) -> bool:
    names = ("entered_users", "previous_users", "first_users")
    rows = [
        {
            "entry_date": FIRST,
            "funnel": "buy",
            "step": step,
            **dict(zip(names, counts, strict=True)),
        }
        for step, counts in enumerate(steps, 1)
    ]
    return is_broken("funnels_go_on_from_the_step_before", funnel_daily=(FunnelDaily, rows))


def test_a_step_begins_with_the_people_of_the_step_before_and_of_the_first() -> None:
    # 5 enter, 4 go on, 1 reaches the end.
    assert not funnel_broken((5, None, 5), (4, 5, 5), (1, 4, 5))
    assert funnel_broken((5, None, 5), (4, 5, 5), (1, 5, 5))
    assert funnel_broken((5, None, 5), (4, 5, 5), (1, 4, 4))
    assert funnel_broken((5, 5, 5))
