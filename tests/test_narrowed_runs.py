"""Runs that are narrowed to some days or tables never compute from stale input."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from homes import assert_same_state, event, land, make_home, run_home, stored, table

from pipelines.warehouse.bring_up import Days

pytestmark = pytest.mark.only_tables("ingest_ledger", "active_users_daily", "sessions_daily")
NEW_DAY = date(2025, 3, 11)


def _home(root: Path) -> Path:
    """Two old days are published; two new ones have landed."""
    make_home(root, files={"2025-03-09": [event("a", "2025-03-09T08:00:00")]})
    run_home(root)
    rows = [event("b", "2025-03-10T08:00:00"), event("c", "2025-03-11T08:00:00")]
    land(root, NEW_DAY, rows)
    return root


def test_a_day_that_was_left_out_is_not_published_as_empty(tmp_path: Path):
    home = _home(tmp_path / "home")
    report = run_home(home, days=Days(date(2025, 3, 10), date(2025, 3, 10)))
    assert report.publication is not None
    assert "active_users_daily" in report.publication.behind
    daily = table(home, "active_users_daily").filter(pl.col("dimension") == "all")
    # Readers still see the run before: nothing of the 11th, rather than nobody on it.
    assert daily["date"].to_list() == [date(2025, 3, 9)]


def test_what_waits_downstream_is_said(tmp_path: Path):
    report = run_home(_home(tmp_path / "home"), days=Days(date(2025, 3, 10), date(2025, 3, 10)))
    waiting = {built.table: built.waiting for built in report.built}
    # The 11th of events is outside of the range; the 10th of stitches needs the links of the 11th.
    assert (waiting["events"], waiting["links"], waiting["stitches"]) == (1, 0, 1)


def test_the_rest_brings_it_to_the_same_bytes_as_one_run(tmp_path: Path):
    narrowed = _home(tmp_path / "narrowed")
    run_home(narrowed, days=Days(date(2025, 3, 10), date(2025, 3, 10)))
    run_home(narrowed)
    whole = _home(tmp_path / "whole")
    run_home(whole)
    assert_same_state(stored(narrowed), stored(whole))
