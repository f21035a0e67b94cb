from typing import Any

import polars as pl
from activity_rows import EVERYBODY, IOS, WEB, bits, first
from frames import collected, day, frame

from schemas.cohort_sizes import CohortSizes
from schemas.definition_months import DefinitionMonths
from schemas.definition_users import DefinitionUsers
from schemas.users import Users
from transforms.cohort_sizes import cohort_sizes

BUY = {"name": "buy", "start_events": ["buy"], "return_events": []}


def starts(text: str, *days: int, **where: str) -> dict[str, Any]:
    return {
        "month": day(f"{text}-01"),
        "definition": "buy",
        "user_id": "u",
        "start_days": bits(*days),
        "return_days": 0,
        **(where or EVERYBODY),
    }


def sizes(
    people: list[Any] = [],  # noqa: B006
    months: list[Any] = [],  # noqa: B006
    *,
    entry: str = "recurring",
    week_start: str = "monday",
    through: str = "2024-12-31",
) -> dict[tuple[str, str, str], int]:
    """Cohort users by grain, start and segment."""
    table = cohort_sizes(
        frame(Users, people),
        frame(DefinitionUsers, []),
        frame(DefinitionMonths, months),
        retentions=[{**BUY, "entry": entry}],
        week_start=week_start,
        data_through=day(through),
    )
    rows = collected(table, CohortSizes)
    named = rows.select("grain", pl.col("cohort_start").cast(pl.String), "segment", "cohort_users")
    return {(grain, start, segment): users for grain, start, segment, users in named.rows()}


def test_people_enter_with_their_first_active_day_and_its_first_segment() -> None:
    people = [
        first("2024-01-31", "u"),
        first("2024-01-31", "u", **WEB),
        first("2024-01-31", "u", is_entry=False, **IOS),
        first("2024-02-01", "v"),
    ]
    assert sizes(people) == {
        ("day", "2024-01-31", "all"): 1,
        ("day", "2024-01-31", "web"): 1,
        ("day", "2024-02-01", "all"): 1,
        ("week", "2024-01-29", "all"): 2,
        ("week", "2024-01-29", "web"): 1,
        ("month", "2024-01-01", "all"): 1,
        ("month", "2024-01-01", "web"): 1,
        ("month", "2024-02-01", "all"): 1,
    }


def test_with_recurring_entry_a_person_is_in_every_cohort_with_a_start() -> None:
    # Wednesday 31 January on iOS, Thursday 1 and Friday 9 February on the web: the week of 29
    # January belongs to iOS, where it began
    months = [
        starts("2024-01", 31),
        starts("2024-01", 31, **IOS),
        starts("2024-02", 1, 9),
        starts("2024-02", 1, 9, **WEB),
    ]
    assert sizes(months=months) == {
        ("day", "2024-01-31", "all"): 1,
        ("day", "2024-01-31", "ios"): 1,
        ("day", "2024-02-01", "all"): 1,
        ("day", "2024-02-01", "web"): 1,
        ("day", "2024-02-09", "all"): 1,
        ("day", "2024-02-09", "web"): 1,
        ("week", "2024-01-29", "all"): 1,
        ("week", "2024-01-29", "ios"): 1,
        ("week", "2024-02-05", "all"): 1,
        ("week", "2024-02-05", "web"): 1,
        ("month", "2024-01-01", "all"): 1,
        ("month", "2024-01-01", "ios"): 1,
        ("month", "2024-02-01", "all"): 1,
        ("month", "2024-02-01", "web"): 1,
    }


def test_weeks_start_on_the_day_of_the_setting() -> None:
    found = sizes([first("2024-01-01", "u")], week_start="sunday")
    assert ("week", "2023-12-31", "all") in found


def test_entries_after_the_horizon_are_not_seen() -> None:
    months = [starts("2024-01", 10, 20)]
    found = sizes([first("2024-01-20", "v")], months, through="2024-01-19")
    assert {start for grain, start, _ in found if grain == "day"} == {"2024-01-10"}
