"""Tables that need their own past: built in order of time, and no further than it shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from homes import Kept, event, land, make_home, run_home, stored, warehouse_table

from pipelines import registry
from pipelines.run import Report
from pipelines.warehouse.bring_up import Days

pytestmark = pytest.mark.only_tables("sessions_daily")
SESSION_DAYS = registry.BY_NAME["session_days"]


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    """Six days; ada is there at noon and around each midnight, bob at noon."""
    days = [date(2025, 1, number) for number in range(10, 16)]
    files: dict[str, list[Any]] = {
        f"{day}": [
            event(f"{day} {user} {time}", f"{day}T{time}:00", user_id=user)
            for user, times in (("ada", ["00:10", "12:00", "23:50"]), ("bob", ["12:00"]))
            for time in times
        ]
        for day in days
    }
    root = make_home(module_folder / "home", files=files)
    run_home(root)
    return Kept(root)


@pytest.fixture
def ran(kept: Kept) -> Path:
    return kept.restore()


def rebuilt(report: Report) -> dict[str, tuple[int, list[int]]]:
    """Per table, how many slices were rebuilt, and the days that came out otherwise."""
    return {
        built.table: (built.rebuilt, [day.day for day in built.changed_periods])
        for built in report.built
        if built.rebuilt
    }


@contextmanager
def counted() -> Iterator[list[int]]:
    """How often sessions are computed."""
    calls: list[int] = []
    transform = SESSION_DAYS.transform

    def counting(*tables: pl.LazyFrame, **rest: Any) -> pl.LazyFrame:
        calls.append(1)
        return transform(*tables, **rest)

    with patch.dict(SESSION_DAYS.__dict__, {"transform": counting}):
        yield calls


def test_a_session_over_midnight_is_one(ran: Path) -> None:
    nights = warehouse_table(ran, "session_days").filter(pl.col("ended_date") > pl.col("date"))
    assert nights.height == 5
    assert nights["events"].to_list() == [2] * 5


def test_a_late_event_changes_its_day_and_the_neighbours_that_see_it_come_out_the_same(
    ran: Path,
) -> None:
    late = event("late", "2025-01-12T12:05:00", user_id="bob")
    land(ran, "2025-01-15", [late], "late.ndjson")
    # The day before looks a day ahead, and the day after is made from what it left open.
    assert rebuilt(run_home(ran))["session_days"] == (3, [12])


def test_what_is_left_open_is_passed_on_as_long_as_it_changes(ran: Path) -> None:
    # The session of the 11th, from 23:50 to 00:10, goes on to 00:35: nothing of it is the 12th's.
    late = event("late", "2025-01-12T00:35:00")
    land(ran, "2025-01-15", [late], "late.ndjson")
    # The 11th, which looks ahead, changes; so the 12th is made again. It comes out the same.
    assert rebuilt(run_home(ran))["session_days"] == (2, [11])


def test_a_changed_setting_makes_all_days_again_in_one_pass(ran: Path) -> None:
    (ran / "tidemark.toml").write_text("session_timeout_minutes = 10\n")
    with counted() as calls:
        built = rebuilt(run_home(ran))
    assert built["session_days"] == (6, [10, 11, 12, 13, 14, 15])
    assert len(calls) == 1


def test_one_pass_over_all_days_leaves_what_a_pass_per_day_leaves(ran: Path) -> None:
    before = stored(ran)["session_days"]
    with counted() as calls, patch.dict(SESSION_DAYS.__dict__, {"chunk_rows": 1}):
        run_home(ran, select=["session_days"], force=True)
    assert len(calls) == 6
    assert stored(ran)["session_days"] == before


def test_days_after_one_that_a_narrowed_run_leaves_stale_wait_for_it(ran: Path) -> None:
    (ran / "tidemark.toml").write_text("session_timeout_minutes = 10\n")
    last = Days(date(2025, 1, 13), None)
    report = run_home(ran, days=last, select=["session_days"])
    (built,) = (each for each in report.built if each.table == "session_days")
    assert (built.rebuilt, built.waiting) == (0, 6)
    assert rebuilt(run_home(ran))["session_days"][0] == 6


def test_days_up_to_one_are_built_without_those_after_it(ran: Path) -> None:
    (ran / "tidemark.toml").write_text("session_timeout_minutes = 10\n")
    report = run_home(ran, days=Days(None, date(2025, 1, 12)), select=["session_days"])
    (built,) = (each for each in report.built if each.table == "session_days")
    assert (built.rebuilt, built.waiting) == (3, 3)
