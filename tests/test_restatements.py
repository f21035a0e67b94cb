"""What becomes of numbers that readers have seen: each change is logged, with its cause."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import Kept, command, event, land, make_home, run_home, table

from pipelines.publish.restatements import LOG

SELECT = ["active_users_daily", "lifecycle", "cohort_retention", "active_users_periodic"]
SETTINGS = 'dimensions = ["platform"]\nretention_periods = { days = 2, weeks = 2, months = 2 }\n'


def day_of(number: int) -> str:
    return f"2025-01-{number:02}"


def on(number: int, user: str, **columns: Any) -> dict[str, Any]:
    given = {"user_id": user, "platform": "web", **columns}
    return event(f"{number}-{user}-{len(columns)}", f"{day_of(number)}T10:00:00", **given)


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    files = {day_of(number): [on(number, "ada"), on(number, "bob")] for number in range(6, 15)}
    root = make_home(module_folder / "home", SETTINGS, files=files)
    run_home(root, select=SELECT)
    return Kept(root)


@pytest.fixture
def home(kept: Kept) -> Path:
    """Nine days of two people, 6 January 2025, a Monday, to the 14th, published."""
    return kept.restore()


def cells(home: Path, name: str) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """The restated numbers of a table: by key without what is of all, and column."""
    rows = table(home, "restatements").filter(pl.col("table") == name)
    found = {}
    for row in rows.iter_rows(named=True):
        key = json.loads(row["key"])
        said = " ".join(str(value) for value in key.values())
        found[said, row["column"]] = (row["old_value"], row["new_value"])
    return found


def causes(home: Path) -> set[str]:
    return set(table(home, "restatements")["cause"])


def test_a_first_publication_restates_nothing(home: Path) -> None:
    assert table(home, "restatements").is_empty()


def test_a_night_without_late_rows_restates_nothing(home: Path) -> None:
    land(home, day_of(15), [on(15, "ada"), on(15, "cleo")])
    assert "are others now" not in command(home, "run", "--select", "lifecycle").out
    run_home(home, select=SELECT)
    assert table(home, "restatements").is_empty()


def test_a_late_row_is_told_with_the_old_number_and_the_new_one(home: Path) -> None:
    # cleo was there on the 8th, and we learn it on the 15th: day 8 had ada and bob.
    land(home, day_of(15), [on(15, "ada"), on(8, "cleo")])
    run_home(home, select=SELECT)
    assert causes(home) == {"late rows"}
    daily = cells(home, "active_users_daily")
    assert daily["2025-01-08 all all", "dau"] == (2, 3)
    assert daily["2025-01-08 all all", "new_users"] == (0, 1)
    # She stays in the window of seven days up to the 14th.
    assert daily["2025-01-14 all all", "wau"] == (2, 3)
    assert ("2025-01-07 all all", "dau") not in daily
    assert ("2025-01-14 all all", "dau") not in daily
    # The ratio dau / mau was 2/2 and is 3/3 on the 8th: no change. On the 9th it was 1 and is 2/3.
    assert daily["2025-01-09 all all", "stickiness_ratio"] == (1, pytest.approx(2 / 3))
    assert ("2025-01-08 all all", "stickiness_ratio") not in daily
    days = cells(home, "lifecycle")
    assert days["day 2025-01-08 all all", "new_users"] == (0, 1)
    assert days["day 2025-01-09 all all", "dormant_users"] == (0, 1)


def test_the_running_period_is_no_restatement(home: Path) -> None:
    land(home, day_of(15), [on(15, "ada"), on(8, "cleo")])
    run_home(home, select=SELECT)
    periods = cells(home, "active_users_periodic")
    # The week of the 6th had ended, that of the 13th and January had not.
    assert periods["week 2025-01-06 all all", "active_users"] == (2, 3)
    assert {key.split()[1] for key, _ in periods} == {"2025-01-06"}


def test_a_row_that_comes_to_a_complete_period_had_no_number_before(home: Path) -> None:
    land(home, day_of(15), [on(15, "ada"), on(8, "ada", platform="ios")])
    run_home(home, select=SELECT)
    daily = cells(home, "active_users_daily")
    assert daily["2025-01-08 platform ios", "dau"] == (None, 1)
    assert daily["2025-01-14 platform ios", "dau"] == (None, 0)
    assert ("2025-01-15 platform ios", "dau") not in daily


def test_numbers_that_are_first_known_later_are_not_restated(home: Path) -> None:
    before = table(home, "cohort_retention").filter(grain="day", dimension="all")
    assert before.filter(cohort_start=pl.date(2025, 1, 6))["rolling_users"].null_count() == 0
    land(home, day_of(15), [on(15, "ada")])
    run_home(home, select=SELECT)
    assert table(home, "restatements").is_empty()


def test_another_definition_is_the_cause(home: Path) -> None:
    settings = home / "tidemark.toml"
    settings.write_text(f'{SETTINGS}active_events = ["purchase"]\n')
    land(home, day_of(15), [on(15, "ada")])
    run_home(home, select=SELECT)
    assert causes(home) == {"definition change"}
    # All did was to look at pages: the day has no row any more.
    assert cells(home, "active_users_daily")["2025-01-08 all all", "dau"] == (2, None)


def test_a_mended_mapping_is_a_replay(home: Path) -> None:
    (home / "tidemark.toml").write_text(
        f'{SETTINGS}[sources.events]\ncolumns.platform = {{ constant = "app" }}\n'
    )
    run_home(home, select=SELECT)
    assert causes(home) == {"replay"}
    daily = cells(home, "active_users_daily")
    assert daily["2025-01-08 platform web", "dau"] == (2, None)
    assert daily["2025-01-08 platform app", "dau"] == (None, 2)
    assert ("2025-01-08 all all", "dau") not in daily


def test_files_that_were_taken_away_are_the_cause(home: Path) -> None:
    shutil.rmtree(home / "landing" / "events" / day_of(8))
    run_home(home, select=SELECT, accept_removed=True)
    assert causes(home) == {"files removed"}
    assert cells(home, "active_users_daily")["2025-01-08 all all", "dau"] == (2, 0)


def test_a_late_link_merges_two_people(home: Path) -> None:
    # x is somebody on the 13th; on the 15th it logs in as ada.
    land(home, day_of(14), [on(13, "x", user_id=None, anonymous_id="x")], "x.ndjson")
    run_home(home, select=SELECT)
    assert cells(home, "active_users_daily")["2025-01-13 all all", "dau"] == (2, 3)
    land(home, day_of(15), [on(15, "ada", anonymous_id="x")])
    run_home(home, select=SELECT)
    rows = table(home, "restatements")
    last = rows.filter(pl.col("published_at") == rows["published_at"].max())
    assert set(last["cause"]) == {"person merged"}
    dau = last.filter(table="active_users_daily", column="dau", period_start=pl.date(2025, 1, 13))
    everybody = dau.filter(pl.col("key").str.contains("all"))
    assert everybody.select("old_value", "new_value").rows() == [(3, 2)]


def test_a_log_grows_and_keeps_what_it_said(home: Path) -> None:
    land(home, day_of(15), [on(8, "cleo")])
    run_home(home, select=SELECT)
    first = table(home, "restatements")
    land(home, day_of(16), [on(8, "dora")])
    run_home(home, select=SELECT)
    both = table(home, "restatements")
    assert both.head(first.height).equals(first)
    assert cells(home, "active_users_daily")["2025-01-08 all all", "dau"] == (3, 4)
    assert both["published_at"].n_unique() == 2
    run_home(home, select=SELECT)
    assert table(home, "restatements").equals(both)


def test_a_run_tells_how_many_and_status_which_and_why(home: Path) -> None:
    land(home, day_of(15), [on(15, "ada"), on(8, "cleo")])
    said = command(home, "run", "--select", "active_users_daily")
    count = table(home, "restatements").height
    assert f"{count} numbers that readers had seen are others now" in said.out
    assert LOG in said.out
    told = command(home, "status").out
    assert "active_users_daily" in told
    assert "late rows" in told
