from typing import Any

import polars as pl
from activity_rows import WEB, first, month
from frames import collected, day, frame

from schemas.cohort_last_returns import CohortLastReturns
from schemas.definition_months import DefinitionMonths
from schemas.definition_users import DefinitionUsers
from schemas.user_months import UserMonths
from schemas.users import Users
from transforms.cohort_last_returns import cohort_last_returns


def last_returns(
    people: list[Any], months: list[Any], *, grain: str, through: str
) -> list[tuple[Any, ...]]:
    """Cohort, end of its run, segment, index of the last return and people; runs of 3, 2, 1."""
    table = cohort_last_returns(
        frame(Users, people),
        frame(UserMonths, months),
        frame(DefinitionUsers, []),
        frame(DefinitionMonths, []),
        retentions=[],
        week_start="monday",
        retention_periods=(3, 2, 1),
        data_through=day(through),
    )
    rows = collected(table, CohortLastReturns).filter(pl.col("grain") == grain)
    dates = pl.col("cohort_start", "last_period_end").cast(pl.String)
    return rows.select(dates, "segment", "last_return_index", "users").rows()


def test_people_are_counted_by_their_last_return_within_the_run() -> None:
    # the run of 30 January ends on 2 February: u back on day 1 and 3, v on day 2 and, too late, 4,
    # w never
    people = [first("2024-01-30", name) for name in "uvw"]
    months = [
        month("2024-01", "u", 30, 31),
        month("2024-02", "u", 2),
        month("2024-01", "v", 30),
        month("2024-02", "v", 1, 3),
        month("2024-01", "w", 30),
    ]
    assert last_returns(people, months, grain="day", through="2024-12-31") == [
        ("2024-01-30", "2024-02-02", "all", 0, 1),
        ("2024-01-30", "2024-02-02", "all", 2, 1),
        ("2024-01-30", "2024-02-02", "all", 3, 1),
    ]
    # weeks of 29 January, 5 and 12 February; months January and February
    assert last_returns(people, months, grain="week", through="2024-12-31") == [
        ("2024-01-29", "2024-02-18", "all", 0, 3)
    ]
    assert last_returns(people, months, grain="month", through="2024-12-31") == [
        ("2024-01-01", "2024-02-29", "all", 0, 1),
        ("2024-01-01", "2024-02-29", "all", 1, 2),
    ]


def test_a_run_that_has_not_ended_is_absent() -> None:
    people, months = [first("2024-01-01", "u")], [month("2024-01", "u", 1)]
    assert last_returns(people, months, grain="day", through="2024-01-03") == []
    assert len(last_returns(people, months, grain="day", through="2024-01-04")) == 1


def test_a_return_counts_for_the_segment_of_entry() -> None:
    people = [first("2024-01-01", "u"), first("2024-01-01", "u", **WEB)]
    months = [month("2024-01", "u", 1, 3), month("2024-01", "u", 1, **WEB)]
    assert last_returns(people, months, grain="day", through="2024-01-31") == [
        ("2024-01-01", "2024-01-04", "all", 2, 1),
        ("2024-01-01", "2024-01-04", "web", 2, 1),
    ]
