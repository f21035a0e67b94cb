from typing import Any

import polars as pl
from activity_rows import EVERYBODY, WEB, bits, first, month
from frames import collected, day, frame

from schemas.cohort_returns import CohortReturns
from schemas.definition_months import DefinitionMonths
from schemas.definition_users import DefinitionUsers
from schemas.user_months import UserMonths
from schemas.users import Users
from transforms.cohort_returns import cohort_returns
from transforms.cohorts import months_before

BUY = {"name": "buy", "start_events": ["buy"], "return_events": ["open"], "entry": "recurring"}


def returned(
    people: list[Any],
    months: list[Any],
    *,
    grain: str,
    named: list[Any] | None = None,
    periods: tuple[int, int, int] = (90, 52, 36),
    through: str = "2030-12-31",
) -> list[tuple[Any, ...]]:
    """Cohort, period of return, segment and people."""
    table = cohort_returns(
        frame(Users, people),
        frame(UserMonths, months),
        frame(DefinitionUsers, []),
        frame(DefinitionMonths, named or []),
        retentions=[BUY],
        week_start="monday",
        retention_periods=periods,
        data_through=day(through),
    )
    rows = collected(table, CohortReturns).filter(pl.col("grain") == grain)
    columns = [pl.col("cohort_start", "period_start").cast(pl.String), "segment", "users"]
    return rows.select(columns).rows()


def test_returns_are_counted_after_the_cohorts_own_period() -> None:
    # u enters on Wednesday 31 January and is active on 1, 4 and 5 February
    people = [first("2024-01-31", "u")]
    months = [month("2024-01", "u", 31), month("2024-02", "u", 1, 4, 5)]
    assert returned(people, months, grain="day") == [
        ("2024-01-31", "2024-02-01", "all", 1),
        ("2024-01-31", "2024-02-04", "all", 1),
        ("2024-01-31", "2024-02-05", "all", 1),
    ]
    # Sunday the 4th is still the cohort's own week
    assert returned(people, months, grain="week") == [("2024-01-29", "2024-02-05", "all", 1)]
    assert returned(people, months, grain="month") == [("2024-01-01", "2024-02-01", "all", 1)]


def test_a_return_counts_for_the_segment_of_entry_wherever_it_happens() -> None:
    people = [first("2024-01-01", "u"), first("2024-01-01", "u", **WEB)]
    months = [month("2024-01", "u", 1, 2), month("2024-01", "u", 1, **WEB)]
    assert returned(people, months, grain="day") == [
        ("2024-01-01", "2024-01-02", "all", 1),
        ("2024-01-01", "2024-01-02", "web", 1),
    ]


def test_a_cohort_runs_to_its_last_index() -> None:
    # index 2 of 30 January 2024 is 1 February, of its week that of 12 February, of January March
    people = [first("2024-01-30", "u")]
    months = [
        month("2024-01", "u", 30),
        month("2024-02", "u", 1, 2, 18, 19),
        month("2024-03", "u", 31),
        month("2024-04", "u", 1),
    ]
    last = (2, 2, 2)
    assert returned(people, months, grain="day", periods=last) == [
        ("2024-01-30", "2024-02-01", "all", 1)
    ]
    assert returned(people, months, grain="week", periods=last) == [
        ("2024-01-29", "2024-02-12", "all", 1)
    ]
    assert returned(people, months, grain="month", periods=last) == [
        ("2024-01-01", "2024-02-01", "all", 1),
        ("2024-01-01", "2024-03-01", "all", 1),
    ]


def test_a_return_in_a_week_over_the_turn_of_a_month_counts_once() -> None:
    people = [first("2024-01-01", "u")]
    months = [month("2024-01", "u", 1, 31), month("2024-02", "u", 1)]
    assert returned(people, months, grain="week") == [("2024-01-01", "2024-01-29", "all", 1)]


def test_with_recurring_entry_a_return_counts_for_each_cohort() -> None:
    # bought on the 1st and the 3rd, opened on the 3rd and the 4th
    row = {"definition": "buy", "user_id": "u", "month": day("2024-01-01"), **EVERYBODY}
    named = [{**row, "start_days": bits(1, 3), "return_days": bits(3, 4)}]
    assert returned([], [], grain="day", named=named) == [
        ("2024-01-01", "2024-01-03", "all", 1),
        ("2024-01-01", "2024-01-04", "all", 1),
        ("2024-01-03", "2024-01-04", "all", 1),
    ]


def test_returns_after_the_horizon_are_not_seen() -> None:
    people = [first("2024-01-01", "u")]
    months = [month("2024-01", "u", 1, 2, 3)]
    assert returned(people, months, grain="day", through="2024-01-02") == [
        ("2024-01-01", "2024-01-02", "all", 1)
    ]


def test_cohorts_reach_back_as_many_months_as_the_longest_run() -> None:
    assert months_before((90, 52, 36)) == 36
    # 90 days before 1 May 2023 is 31 January: four months back
    assert months_before((90, 1, 1)) == 4
    # a week that ends on 1 March 2023 began 6 days before, in February
    assert months_before((1, 0, 1)) == 1
