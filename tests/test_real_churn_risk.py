"""Churn risk of real registrations: fitted to one presentation, judged by the next one.

The registrations are cut at the day of the export: who gave up later is still registered in it.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from homes import run_home, scratch, table
from real_data import OULAD_SETTINGS, land, needs_real_data, oulad_clicks
from real_subscriptions import LENGTHS, SOURCE, STARTS, registrations

pytestmark = needs_real_data

# Day 30 of 2013B, and day 30 of 2013J with the 90 days after it.
FITTED, JUDGED, LAST = date(2013, 3, 3), date(2013, 10, 31), date(2014, 1, 29)
SETTINGS = f"churn_cutoff = {FITTED}\nchurn_horizon_days = 90\n"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        clicks = oulad_clicks().filter(pl.col("arrived") <= LAST)
        land(clicks.with_columns(arrived=pl.lit(LAST)), folder, "clicks.tsv", separator="\t")
        (folder / "tidemark.toml").write_text(SETTINGS + OULAD_SETTINGS + SOURCE, encoding="utf-8")
        exports = folder / "landing" / "subscriptions" / LAST.isoformat()
        exports.mkdir(parents=True)
        given_up = _day("date_unregistration") > LAST
        known = registrations().with_columns(
            date_unregistration=pl.when(~given_up.fill_null(False)).then("date_unregistration")
        )
        known.filter(_day("date_registration") <= LAST).write_csv(exports / "registrations.csv")
        run_home(folder, select=["customer_profiles"])
        yield folder


def _day(column: str) -> pl.Expr:
    start = pl.col("code_presentation").replace_strict(STARTS).str.to_date()
    return start + pl.duration(days=pl.col(column).cast(pl.Int64, strict=False))


def model(home: Path) -> dict[str, Any]:
    models = table(home, "churn_models")
    return models.row(by_predicate=pl.col("model") == "subscriptions", named=True)


def outcomes(on: date) -> tuple[int, int]:
    """Registered on a day, and of these not 90 days later, straight from the raw file."""
    with duckdb.connect() as con:
        con.register("registration", registrations().to_arrow())
        days_0 = ", ".join(f"('{code}', DATE '{day}')" for code, day in STARTS.items())
        lengths = ", ".join(f"('{code}', {days})" for code, days in LENGTHS.items())
        found = con.sql(f"""
            WITH day_0 (code, day) AS (VALUES {days_0}), lasts (code, days) AS (VALUES {lengths}),
            paid AS (
                SELECT id_student, (day + date_registration::INT)::DATE AS start_day,
                    least(coalesce((day + nullif(date_unregistration, '')::INT)::DATE,
                        DATE '9999-01-01'), (day + days::INT)::DATE) AS end_day
                FROM registration JOIN day_0 ON day_0.code = code_presentation
                    JOIN lasts ON lasts.code = code_module || code_presentation
                WHERE date_registration <> ''),
            here AS (SELECT DISTINCT id_student FROM paid
                WHERE start_day <= DATE '{on}' AND end_day > DATE '{on}'),
            later AS (SELECT DISTINCT id_student FROM paid
                WHERE start_day <= DATE '{on}' + 90 AND end_day > DATE '{on}' + 90)
            SELECT count(*), count(*) FILTER (l.id_student IS NULL)
            FROM here LEFT JOIN later l USING (id_student)""").fetchall()
    return found[0]


def test_customers_and_losses_of_both_days_are_those_of_sql(home: Path) -> None:
    row = model(home)
    assert (row["cutoff_date"], row["judged_date"], row["as_of"]) == (FITTED, JUDGED, LAST)
    assert (row["customers"], row["churned_customers"]) == outcomes(FITTED)
    assert (row["judged_customers"], row["judged_churned_customers"]) == outcomes(JUDGED)


def test_the_next_presentation_is_foretold_better_than_by_the_base_rate(home: Path) -> None:
    row = model(home)
    assert row["is_used"]
    assert row["brier_score"] < row["base_brier_score"]
    assert row["auc"] > 0.6
    # Whoever clicks on more days stays.
    assert row["active_share_coefficient"] < 0


def test_everybody_registered_has_a_risk_and_nobody_else(home: Path) -> None:
    profiles = table(home, "customer_profiles")
    assert (profiles["churn_risk"].is_not_null() == (profiles["mrr_amount"] > 0)).all()
    told = profiles.filter(pl.col("churn_risk").is_not_null())
    assert told["churn_risk_model"].unique().to_list() == ["subscriptions"]
    assert told.height == outcomes(LAST)[0]
