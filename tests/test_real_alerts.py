"""Alerts in published data: those of the second computation, and how few there are."""

from pathlib import Path

import polars as pl
import pytest
from homes import table
from oracle.alerts import alerts_oracle
from polars.testing import assert_frame_equal
from real_data import READ, needs_real_data

from benchmarks.alerts import rates
from pipelines import registry
from schemas.base import empty

pytestmark = [needs_real_data, pytest.mark.only_tables(*READ)]
KEY = ["date", "table", "metric", "row_key"]


def table_or_none(home: Path, name: str) -> pl.DataFrame:
    """What is published; of a source that never landed, no rows."""
    is_there = (home / "bi" / f"{name}.parquet").exists()
    return table(home, name) if is_there else empty(registry.BY_NAME[name].model).collect()


def assert_agrees(home: Path) -> pl.DataFrame:
    found = table(home, "metric_alerts")
    read = {name: table_or_none(home, name) for name in registry.BY_NAME["metric_alerts"].reads}
    expected = alerts_oracle(read, lag_days=0, deviations=5, min_change=0.2)
    typed = expected.select(found.columns).cast(dict(found.schema))
    assert_frame_equal(found.sort(KEY), typed.sort(KEY), rel_tol=1e-9, abs_tol=2e-6)
    return found


def test_twenty_six_years_of_commits_give_few_alerts(git_home: Path) -> None:
    assert_agrees(git_home)
    counts = rates(git_home)
    # Most of what was judged is of what landed: 3 of 10,000 alarm.
    assert (counts["alerts"].sum(), counts["judged_days"].sum()) == (27, 89_636)
    assert counts["alert_rate"].max() < 0.003


def test_the_clicks_of_students_are_alarming_where_courses_begin_and_where_days_are_missing(
    oulad_home: Path,
) -> None:
    found = assert_agrees(oulad_home)
    actives = found.filter(metric="dau")
    # The courses of autumn 2013 open on 21 September; on 12 February 2014 hardly anybody got in.
    opening = actives.filter(pl.col("date").cast(pl.String) == "2013-09-21")
    assert opening.select("value", "direction").rows() == [(947, "high")]
    outage = actives.filter(pl.col("date").cast(pl.String) == "2014-02-12")
    assert outage.select("value", "direction").rows() == [(97, "low")]
    # 26 of 827 days, on ten occasions: students come and go with terms, which is no chance.
    rate = rates(oulad_home).filter(metric="dau")
    assert rate.select("judged_days", "alerts", "occasions").rows() == [(827, 26, 10)]
