from typing import Any

import polars as pl
from activity_rows import EVERYBODY
from frames import assert_rows, collected, day, frame

from schemas.cohort_last_returns import CohortLastReturns
from schemas.cohort_retention import CohortRetention
from schemas.cohort_returns import CohortReturns
from schemas.cohort_sizes import CohortSizes
from transforms.cohort_retention import cohort_retention


def retention(
    grain: str,
    start: str,
    users: int,
    returned: dict[str, int],
    gone: dict[int, int],
    *,
    through: str,
) -> pl.LazyFrame:
    """One cohort; its returns by the start of their period, and its last returns by index."""
    cohort = {"definition": "activity", "grain": grain, "cohort_start": day(start), **EVERYBODY}
    return cohort_retention(
        frame(CohortSizes, [{**cohort, "cohort_users": users}]),
        frame(
            CohortReturns,
            [{**cohort, "period_start": day(on), "users": n} for on, n in returned.items()],
        ),
        frame(
            CohortLastReturns,
            [{**cohort, "last_return_index": index, "users": n} for index, n in gone.items()],
            last_period_end=day(start),
        ),
        retention_periods=(3, 2, 1),
        data_through=day(through),
    )


def cells(table: pl.LazyFrame, *columns: str) -> list[tuple[Any, ...]]:
    return collected(table, CohortRetention).select("period_index", *columns).rows()


def test_rates_are_of_the_whole_cohort() -> None:
    # 4 people; 2 back on day 1, nobody on day 2, 1 on day 3. The last return of one was day 1, of
    # another day 3, two never came back: 4, 2, 1, 1 came on that day or later.
    table = retention(
        "day",
        "2024-01-01",
        4,
        {"2024-01-02": 2, "2024-01-04": 1},
        {0: 2, 1: 1, 3: 1},
        through="2024-01-31",
    )
    row = {
        "definition": "activity",
        "grain": "day",
        "cohort_start": day("2024-01-01"),
        **EVERYBODY,
        "cohort_users": 4,
        "is_complete": True,
    }
    expected = [(4, 1.0, 4, 1.0), (2, 0.5, 2, 0.5), (0, 0.0, 1, 0.25), (1, 0.25, 1, 0.25)]
    assert_rows(
        table,
        CohortRetention,
        [
            {
                **row,
                "period_index": index,
                "active_users": active,
                "retention_rate": rate,
                "rolling_users": rolling,
                "rolling_retention_rate": rolling_rate,
            }
            for index, (active, rate, rolling, rolling_rate) in enumerate(expected)
        ],
    )


def test_cells_that_have_not_begun_are_absent_and_rolling_waits_for_the_last_one() -> None:
    table = retention("day", "2024-01-01", 4, {"2024-01-02": 2}, {}, through="2024-01-03")
    assert cells(table, "active_users", "rolling_users", "rolling_retention_rate") == [
        (0, 4, None, None),
        (1, 2, None, None),
        (2, 0, None, None),
    ]


def test_a_running_period_is_there_and_not_complete() -> None:
    table = retention("week", "2024-01-01", 1, {"2024-01-08": 1}, {}, through="2024-01-10")
    assert cells(table, "active_users", "is_complete") == [(0, 1, True), (1, 1, False)]


def test_months_of_any_length_are_one_period() -> None:
    # over the turn of the year and to the last day of January
    december = ("month", "2023-12-01", 2, {"2024-01-01": 1}, {0: 1, 1: 1})
    ended = retention(*december, through="2024-01-31")
    assert cells(ended, "active_users", "rolling_users", "is_complete") == [
        (0, 2, 2, True),
        (1, 1, 1, True),
    ]
    running = retention(*december[:-1], {}, through="2024-01-30")
    assert cells(running, "rolling_users", "is_complete") == [(0, None, True), (1, None, False)]
