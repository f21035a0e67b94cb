"""Real input: twenty-six years of commits, and the clicks of two courses in another time zone."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import LONG, assert_same_state, run_home, scratch, stored
from oracle.activity import activity_oracle
from oracle.compare import assert_equal_tables
from real_data import (
    GIT_SETTINGS,
    OULAD_SETTINGS,
    OULAD_STARTS,
    READ,
    git_commits,
    needs_real_data,
    oulad_clicks,
)

pytestmark = [needs_real_data, pytest.mark.only_tables(*READ)]
NIGHTS = 20
# The last landing date of the commits.
THROUGH = date(2026, 8, 22)


def test_every_commit_is_accounted_for(git_home: Path):
    ledger = pl.read_parquet(git_home / "bi" / "ingest_ledger.parquet")
    totals = ledger.select(pl.selectors.integer().sum()).row(0, named=True)
    # The data set's own figures: rows, rows without an author, bots, rows a day and a month late.
    # Of the rows whose event lies after their arrival, two lie more than a day after it.
    assert totals["read_rows"] == 303_971
    assert totals["quarantined_rows"] == 1_300 + 2
    assert totals["duplicate_rows"] == 0
    assert totals["accepted_rows"] == 303_971 - 1_302
    assert totals["excluded_rows"] == 1_464
    assert totals["late_1d_rows"] == 52_920
    assert totals["late_30d_rows"] == 19_554


def test_retention_by_day_of_26_years_grows_with_days_and_not_with_their_square(git_home: Path):
    retention = pl.read_parquet(git_home / "bi" / "cohort_retention.parquet")
    by_day = retention.filter(pl.col("grain") == "day", pl.col("dimension") == "all")
    cohorts = by_day["cohort_start"].unique()
    # People came for the first time on 4,748 of 9,664 days: up to 90 days after each, and the day
    # itself, make 428,762 rows. All days up to the last one would make 13,845,102.
    assert len(cohorts) == 4_748
    assert by_day.height == sum(min(90, (THROUGH - day).days) + 1 for day in cohorts) == 428_762
    assert sum((THROUGH - day).days + 1 for day in cohorts) == 13_845_102


def test_commits_give_the_tables_that_sql_gives(git_home: Path):
    with duckdb.connect() as con:
        commits = git_commits().to_arrow()  # noqa: F841
        con.execute("""
            CREATE TABLE ev AS
            SELECT timezone('UTC', author_time::TIMESTAMPTZ)::DATE AS event_date,
                author_time::TIMESTAMPTZ AS event_ts, repo || commit AS event_id,
                kind AS event_name, author_id AS person, repo AS platform,
                NULL::VARCHAR AS country, NULL::VARCHAR AS channel, NULL::VARCHAR AS feature
            FROM commits
            WHERE author_id IS NOT NULL AND is_bot = '0'
                AND timezone('UTC', author_time::TIMESTAMPTZ)::DATE <= arrived + 1""")
        _assert_tables(git_home, con, "monday", THROUGH)


@pytest.mark.skipif(not LONG, reason="takes minutes: set TIDEMARK_LONG_TESTS=1")
def test_commits_by_nights_give_the_same_bytes_as_at_once(git_home: Path):
    _assert_nights_equal(git_home, GIT_SETTINGS, slice(0, None))


def test_clicks_give_the_tables_that_sql_gives(oulad_home: Path):
    with duckdb.connect() as con:
        clicks = oulad_clicks().to_arrow()  # noqa: F841
        starts = ", ".join(f"('{code}', DATE '{day}')" for code, day in OULAD_STARTS.items())
        con.execute(f"""
            CREATE TABLE ev AS
            WITH start (code, day) AS (VALUES {starts})
            SELECT (day + date::INT)::DATE AS event_date, (day + date::INT)::TIMESTAMP AS event_ts,
                '' AS event_id, 'click' AS event_name, id_student AS person,
                code_module AS platform, NULL::VARCHAR AS country, code_presentation AS channel,
                id_site AS feature
            FROM clicks JOIN start ON code = code_presentation""")
        through = con.sql("SELECT max(arrived) FROM clicks").fetchall()[0][0]
        _assert_tables(oulad_home, con, "sunday", through)


def test_every_click_is_accounted_for(oulad_home: Path):
    ledger = pl.read_parquet(oulad_home / "bi" / "ingest_ledger.parquet")
    totals = ledger.select(pl.selectors.integer().sum()).row(0, named=True)
    # Equal rows of a day stay two: the source brings no id, and two clicks may look alike.
    assert totals["read_rows"] == totals["accepted_rows"] == oulad_clicks().height
    assert (totals["quarantined_rows"], totals["duplicate_rows"]) == (0, 0)


@pytest.mark.skipif(not LONG, reason="takes minutes: set TIDEMARK_LONG_TESTS=1")
def test_clicks_by_nights_give_the_same_bytes_as_at_once(oulad_home: Path):
    _assert_nights_equal(oulad_home, OULAD_SETTINGS, slice(None, None, -1))


def _home(root: Path, settings: str) -> Path:
    root.mkdir()
    (root / "tidemark.toml").write_text(settings, encoding="utf-8")
    return root


def _assert_nights_equal(at_once: Path, settings: str, order: slice) -> None:
    """Landing dates fed in many steps, in the given order, against all of them at once."""
    with scratch() as folder:
        home = _home(folder / "nights", settings)
        landing = home / "landing" / "events"
        landing.mkdir(parents=True)
        days = sorted((at_once / "landing" / "events").iterdir())[order]
        for step in _steps(days, NIGHTS):
            for day in step:
                shutil.copytree(day, landing / day.name)
            run_home(home)
        assert_same_state(stored(home), stored(at_once))


def _steps(days: Sequence[Path], count: int) -> Iterator[Sequence[Path]]:
    size = -(-len(days) // count)
    for start in range(0, len(days), size):
        yield days[start : start + size]


def _assert_tables(
    home: Path, con: duckdb.DuckDBPyConnection, week_start: str, through: date
) -> None:
    expected = activity_oracle(
        con, week_start=week_start, wau_window_days=7, mau_window_days=28, data_through=through
    )
    for name, table in expected.items():
        published = pl.read_parquet(home / "bi" / f"{name}.parquet")
        assert_equal_tables(name, published, table)
