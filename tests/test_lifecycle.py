from typing import Any

import polars as pl
from activity_rows import IOS, WEB, first, month, since
from frames import collected, day, frame

from schemas.lifecycle import Lifecycle
from schemas.segments import Segments
from schemas.user_months import UserMonths
from schemas.users import Users
from transforms.lifecycle import lifecycle

STATES = ["new_users", "retained_users", "resurrected_users", "dormant_users", "active_users"]


def states(
    months: list[Any],
    people: list[Any],
    starts: list[Any],
    *,
    grain: str,
    through: str,
    week_start: str = "monday",
    segment: str = "all",
) -> dict[str, tuple[int, ...]]:
    """New, retained, resurrected, dormant and active users by the start of the period."""
    table = lifecycle(
        frame(UserMonths, months),
        frame(Users, people),
        frame(Segments, starts),
        dimensions=["platform"],
        week_start=week_start,
        data_through=day(through),
    )
    rows = collected(table, Lifecycle).filter(
        pl.col("grain") == grain, pl.col("segment") == segment
    )
    return {str(row[0]): row[1:] for row in rows.select("period_start", *STATES).rows()}


def test_days_tell_the_new_from_those_who_stay_come_back_or_stay_away() -> None:
    # u: 1, 2, 4; v: 2
    found = states(
        [month("2024-01", "u", 1, 2, 4), month("2024-01", "v", 2)],
        [first("2024-01-01", "u"), first("2024-01-02", "v")],
        [since("2024-01-01")],
        grain="day",
        through="2024-01-04",
    )
    assert found == {
        "2024-01-01": (1, 0, 0, 0, 1),
        "2024-01-02": (1, 1, 0, 0, 2),  # v new, u stays
        "2024-01-03": (0, 0, 0, 2, 0),  # both stay away
        "2024-01-04": (0, 0, 1, 0, 1),  # u comes back
    }


def test_the_first_day_of_a_month_looks_at_the_last_of_the_one_before() -> None:
    # 29 February 2024: u, v; 1 March: u
    found = states(
        [month("2024-02", "u", 29), month("2024-02", "v", 29), month("2024-03", "u", 1)],
        [],
        [since("2024-02-29")],
        grain="day",
        through="2024-03-01",
    )
    assert found["2024-03-01"] == (0, 1, 0, 1, 1)


def test_weeks_over_the_turn_of_a_month_are_judged_whole() -> None:
    # weeks of 18 and 25 December 2023, 1 and 29 January 2024
    months = [
        month("2023-12", "u", 24, 31),
        month("2024-01", "u", 7, 31),
        month("2023-12", "v", 18),
        month("2024-02", "v", 4),
    ]
    people = [first("2023-12-24", "u"), first("2023-12-18", "v")]
    found = states(months, people, [since("2023-12-18")], grain="week", through="2024-02-04")
    assert found == {
        "2023-12-18": (2, 0, 0, 0, 2),
        "2023-12-25": (0, 1, 0, 1, 1),
        "2024-01-01": (0, 1, 0, 0, 1),
        "2024-01-08": (0, 0, 0, 1, 0),
        "2024-01-15": (0, 0, 0, 0, 0),
        "2024-01-22": (0, 0, 0, 0, 0),
        "2024-01-29": (0, 0, 2, 0, 2),  # u on Wednesday, v on Sunday of the next month
    }


def test_weeks_may_start_on_sundays() -> None:
    # Sunday 31 December and Monday 1 January are then one week, Sunday 7 January the next
    found = states(
        [month("2023-12", "u", 31), month("2024-01", "u", 1, 7)],
        [first("2023-12-31", "u")],
        [since("2023-12-31")],
        grain="week",
        through="2024-01-07",
        week_start="sunday",
    )
    assert found == {"2023-12-31": (1, 0, 0, 0, 1), "2024-01-07": (0, 1, 0, 0, 1)}


def test_months_are_judged_by_any_day_of_the_month_before() -> None:
    # u: January, February, April; v: January
    months = [
        month("2024-01", "u", 1),
        month("2024-02", "u", 28),
        month("2024-04", "u", 30),
        month("2024-01", "v", 15),
    ]
    people = [first("2024-01-01", "u"), first("2024-01-15", "v")]
    found = states(months, people, [since("2024-01-01")], grain="month", through="2024-04-30")
    assert found == {
        "2024-01-01": (2, 0, 0, 0, 2),
        "2024-02-01": (0, 1, 0, 1, 1),
        "2024-03-01": (0, 0, 0, 1, 0),
        "2024-04-01": (0, 0, 1, 0, 1),
    }


def test_a_segment_is_judged_by_its_own_history() -> None:
    # u moves from web to iOS: dormant there, new here, retained over all
    months = [
        month("2024-01", "u", 1, 2),
        month("2024-01", "u", 1, **WEB),
        month("2024-01", "u", 2, **IOS),
    ]
    people = [
        first("2024-01-01", "u"),
        first("2024-01-01", "u", **WEB),
        first("2024-01-02", "u", is_entry=False, **IOS),
    ]
    starts = [since("2024-01-01"), since("2024-01-01", **WEB), since("2024-01-02", **IOS)]

    def second_day(segment: str) -> tuple[int, ...]:
        found = states(months, people, starts, grain="day", through="2024-01-02", segment=segment)
        return found["2024-01-02"]

    assert second_day("all") == (0, 1, 0, 0, 1)
    assert second_day("web") == (0, 0, 0, 1, 0)
    assert second_day("ios") == (1, 0, 0, 0, 1)


def test_a_running_period_shows_what_there_is_so_far() -> None:
    months = [month("2024-01", "u", 1), month("2024-02", "u", 20), month("2024-02", "v", 20)]
    people = [first("2024-01-01", "u"), first("2024-02-20", "v")]
    found = states(months, people, [since("2024-01-01")], grain="month", through="2024-02-19")
    assert found["2024-02-01"] == (0, 0, 0, 1, 0)


def test_a_period_is_complete_when_its_last_day_is_not_after_the_horizon() -> None:
    table = lifecycle(
        frame(UserMonths, [month("2024-01", "u", 29)]),
        frame(Users, [first("2024-01-29", "u")]),
        frame(Segments, [since("2024-01-29")]),
        dimensions=["platform"],
        week_start="monday",
        data_through=day("2024-01-31"),
    )
    running = collected(table, Lifecycle).filter(~pl.col("is_complete"))
    assert running.select("grain", "period_start").rows() == [("week", day("2024-01-29"))]
