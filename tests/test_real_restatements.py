"""Real input: what late commits change in published tables, against a comparison in SQL."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import run_home, scratch, table
from real_data import GIT_SETTINGS, git_commits, land, needs_real_data

pytestmark = needs_real_data

FIRST, LAST = date(2014, 1, 1), date(2014, 8, 31)
NIGHTS = 10
KEYS = {
    "active_users_daily": "date, dimension, segment",
    "active_users_periodic": "grain, period_start, dimension, segment",
    "active_days_histogram": "grain, period_start, active_days",
    "lifecycle": "grain, period_start, dimension, segment",
    "cohort_retention": "definition, grain, cohort_start, period_index, dimension, segment",
    "first_week_engagement": "cohort_date",
}
PERIOD = {"date", "grain", "period_start", "cohort_start", "cohort_date", "definition"}
PERIOD |= {"period_index"}
# First known when the last period of a cohort has ended.
SETTLES_LATER = {"rolling_users", "rolling_retention_rate"}


@pytest.fixture(scope="module")
def nights() -> Iterator[tuple[Path, Path]]:
    """A home before and after its last night of several, in which years of commits had landed."""
    with scratch() as folder:
        every = folder / "every"
        commits = git_commits().filter(pl.col("arrived").cast(pl.Date).is_between(FIRST, LAST))
        land(commits, every, "commits.csv")
        days = sorted((every / "landing" / "events").iterdir())
        home = folder / "home"
        (home / "landing" / "events").mkdir(parents=True)
        (home / "tidemark.toml").write_text(GIT_SETTINGS, encoding="utf-8")
        for step in (days[: -2 * NIGHTS], days[-2 * NIGHTS : -NIGHTS], days[-NIGHTS:]):
            before = folder / "before"
            if (home / "bi").exists():
                shutil.rmtree(before, ignore_errors=True)
                shutil.copytree(home / "bi", before)
            for day in step:
                shutil.copytree(day, home / "landing" / "events" / day.name)
            run_home(home, select=list(KEYS))
        yield before, home / "bi"


def in_sql(con: duckdb.DuckDBPyConnection, name: str, before: Path, after: Path) -> set[object]:
    """Every number of a complete period that differs: column, key, old and new value."""
    con.execute(f"CREATE OR REPLACE VIEW old AS FROM '{before / name}.parquet'")
    con.execute(f"CREATE OR REPLACE VIEW now AS FROM '{after / name}.parquet'")
    keys = KEYS[name].split(", ")
    numbers = [
        column
        for column, kind, *_ in con.sql("DESCRIBE now").fetchall()
        if column not in keys and kind in ("BIGINT", "DOUBLE")
    ]
    period = ", ".join(key for key in keys if key in PERIOD)
    con.execute(
        f"CREATE OR REPLACE TABLE ended AS SELECT DISTINCT {period} FROM old WHERE is_complete"
    )
    found: set[object] = set()
    same = " AND ".join(f"o.{key} = n.{key}" for key in keys)
    named = ", ".join(f"coalesce(o.{key}, n.{key})::VARCHAR" for key in keys)
    theirs = ", ".join(f"n.{key}" for key in keys if key in PERIOD)
    for column in numbers:
        known = f"AND o.{column} IS NOT NULL" if column in SETTLES_LATER else ""
        rows = con.sql(f"""
            SELECT [{named}], o.{column}::DOUBLE, n.{column}::DOUBLE
            FROM old o FULL JOIN now n ON {same}
            WHERE o.{column} IS DISTINCT FROM n.{column} {known}
                AND CASE WHEN o.is_complete IS NULL
                    THEN ({theirs}) IN (SELECT ({period}) FROM ended)
                    ELSE o.is_complete END""").fetchall()
        found |= {(column, tuple(row[0]), row[1], row[2]) for row in rows}
    return found


@pytest.mark.parametrize("name", KEYS)
def test_what_is_logged_is_what_sql_finds_between_two_nights(
    nights: tuple[Path, Path], name: str
) -> None:
    before, after = nights
    log = table(after.parent, "restatements")
    last = log.filter(pl.col("published_at") == log["published_at"].max(), table=name)
    found = {
        (
            row["column"],
            tuple(str(value) for value in json.loads(row["key"]).values()),
            row["old_value"],
            row["new_value"],
        )
        for row in last.iter_rows(named=True)
    }
    assert len(found) == last.height
    with duckdb.connect(config={"threads": 1}) as con:
        assert found == in_sql(con, name, before, after)
    # Every table has some, but the first weeks of people: hardly anybody's begin late.
    assert found or name == "first_week_engagement"


def test_late_commits_are_the_cause(nights: tuple[Path, Path]) -> None:
    assert set(table(nights[1].parent, "restatements")["cause"]) == {"late rows"}
