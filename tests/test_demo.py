"""The sample, run as a new user would: the published numbers are the planted truths."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import run_home, scratch, table

from pipelines.commands.sample import fill_new_home


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        fill_new_home(folder / "home", days=90, users=2_000, seed=7)
        run_home(folder / "home")
        yield folder / "home"


@pytest.fixture(scope="module")
def truths(home: Path) -> dict[str, Any]:
    return json.loads((home / "sample_truths.json").read_text(encoding="utf-8"))


def test_every_row_is_accounted_for_as_planted(home: Path, truths: dict[str, Any]):
    ledger = table(home, "ingest_ledger")
    totals = ledger.select(pl.selectors.integer().sum()).row(0, named=True)
    planted = truths["rows"]
    for name in (
        "read_rows",
        "quarantined_rows",
        "duplicate_rows",
        "accepted_rows",
        "late_1d_rows",
        "late_7d_rows",
        "late_30d_rows",
        "future_rows",
    ):
        assert totals[name] == planted[name], name
    assert totals["accepted_rows"] - totals["excluded_rows"] == planted["events"]


def test_daily_actives_and_newcomers_are_as_planted(home: Path, truths: dict[str, Any]):
    daily = table(home, "active_users_daily")
    everybody = daily.filter(dimension="all").sort("date")
    planted = truths["active_users_daily"]
    assert everybody.select("date", "dau", "new_users").rows() == [
        (date.fromisoformat(day["date"]), day["dau"], day["new_users"]) for day in planted
    ]
    platforms = daily.filter(pl.col("dimension") == "platform", pl.col("dau") > 0)
    assert set(platforms.select("date", "segment", "dau").rows()) == {
        (date.fromisoformat(day["date"]), platform, people)
        for day in planted
        for platform, people in day["dau_by_platform"].items()
        if people
    }


def test_cohorts_and_their_return_are_as_planted(home: Path, truths: dict[str, Any]):
    retention = table(home, "cohort_retention").filter(
        definition="activity", grain="day", dimension="all"
    )
    cells = {
        (row["cohort_start"].isoformat(), row["period_index"]): row["active_users"]
        for row in retention.iter_rows(named=True)
    }
    assert truths["cohorts_daily"]
    for cohort in truths["cohorts_daily"]:
        start = cohort["first_date"]
        assert cells.get((start, 0), 0) == cohort["cohort_users"], start
        for index in (1, 7, 30):
            planted = cohort[f"day_{index}"]
            if planted is not None and cohort["cohort_users"]:
                assert cells[start, index] == planted, (start, index)


def test_months_are_as_planted(home: Path, truths: dict[str, Any]):
    months = table(home, "active_users_periodic").filter(grain="month", dimension="all")
    found = {row["period_start"].isoformat(): row["active_users"] for row in months.to_dicts()}
    assert found == {
        month["month"]: month["active_users"] for month in truths["active_users_monthly"]
    }
