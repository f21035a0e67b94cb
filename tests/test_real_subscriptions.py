"""Real registrations as subscriptions, against SQL straight from the raw file.

A registration is paid for from its day on, which may lie months before the course, until it is
given up or the presentation is over. Whoever gives it up before the course begins was a customer
until then; whoever does so on the day of registration never was.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import run_home, scratch, table, warehouse_table
from oracle.activity import activity_oracle
from oracle.compare import assert_equal_tables
from real_data import OULAD_SETTINGS, OULAD_STARTS, land, needs_real_data, oulad_clicks
from real_subscriptions import (
    LANDED,
    LENGTHS,
    PRICE,
    STARTS,
    land_registrations,
    lengths,
    registrations,
)

pytestmark = needs_real_data


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        land_registrations(folder)
        assert not run_home(folder).withheld
        yield folder


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.register("registration", registrations().to_arrow())
        connection.register("course", lengths().to_arrow())
        days_0 = ", ".join(f"('{code}', DATE '{day}')" for code, day in STARTS.items())
        connection.execute(f"""
            CREATE TABLE paid AS
            WITH day_0 (code, day) AS (VALUES {days_0})
            SELECT id_student, code_module, code_presentation,
                (day + date_registration::INT)::DATE AS start_day,
                least((day + nullif(date_unregistration, '')::INT)::DATE,
                    (day + module_presentation_length::INT)::DATE) AS end_day
            FROM registration JOIN day_0 ON code = code_presentation
                JOIN course USING (code_module, code_presentation)
            WHERE date_registration <> '';
            CREATE TABLE edge AS
            SELECT unnest(generate_series(
                DATE '2012-01-01', DATE '{LANDED}', INTERVAL 1 MONTH))::DATE AS month,
                last_day(month) AS day;
            CREATE TABLE present AS
            SELECT month, id_student, count(*) AS registrations
            FROM edge JOIN paid ON start_day <= day AND end_day > day GROUP BY ALL""")
        yield connection


def test_lengths_are_those_of_the_courses() -> None:
    codes = pl.concat_str("code_module", "code_presentation")
    days = pl.col("module_presentation_length").cast(pl.Int64)
    assert dict(lengths().select(codes, days).rows()) == LENGTHS


def test_every_registration_is_accounted_for(home: Path) -> None:
    ledger = table(home, "ingest_ledger").filter(source="subscriptions")
    names = ("read_rows", "accepted_rows", "quarantined_rows", "duplicate_rows")
    # The data set's own figures: 8,657 registrations, nine of them without a date.
    assert ledger.select(pl.col(names).sum()).row(0) == (8_657, 8_648, 9, 0)
    refused = warehouse_table(home, "quarantine_subscriptions")
    assert refused["reasons"].unique().to_list() == ["started_ts is missing"]


def test_churn_and_retention_per_month_are_those_of_sql(
    home: Path, con: duckdb.DuckDBPyConnection
) -> None:
    expected = con.sql(f"""
        WITH before AS (
            SELECT (month + INTERVAL 1 MONTH)::DATE AS month, id_student FROM present),
        first AS (SELECT id_student, min(month) AS month FROM present GROUP BY ALL),
        counts AS (
            SELECT month,
                (SELECT count(*) FROM before b WHERE b.month = e.month) AS customers_start,
                (SELECT count(*) FROM first f WHERE f.month = e.month) AS new_customers,
                (SELECT count(*) FROM before b ANTI JOIN present p USING (month, id_student)
                 WHERE b.month = e.month) AS lost_customers,
                (SELECT count(*) FROM present p WHERE p.month = e.month) AS customers_end
            FROM edge e)
        SELECT month, 'all' AS dimension, 'all' AS segment, customers_start, new_customers,
            customers_end - new_customers - customers_start + lost_customers
                AS reactivated_customers,
            lost_customers, customers_end,
            customers_start - lost_customers AS retained_customers,
            lost_customers / nullif(customers_start, 0) AS churn_rate,
            (customers_end - new_customers - reactivated_customers) / nullif(customers_start, 0)
                AS retention_rate,
            1 - (1 - churn_rate) ** 12 AS annualised_churn_rate,
            day <= DATE '{LANDED}' AS is_complete
        FROM counts JOIN edge USING (month)
        WHERE month >= (SELECT min(month) FROM present)""").pl()
    found = table(home, "churn_monthly").filter(dimension="all")
    assert_equal_tables("churn_monthly", found, expected)
    assert found["lost_customers"].sum() == found["new_customers"].sum() + (
        found["reactivated_customers"].sum()
    )


def test_revenue_per_month_is_a_price_for_each_registration(
    home: Path, con: duckdb.DuckDBPyConnection
) -> None:
    expected = con.sql(f"""
        SELECT month, (coalesce(sum(registrations), 0) * {PRICE})::BIGINT AS closing
        FROM edge LEFT JOIN present USING (month)
        WHERE month >= (SELECT min(month) FROM present) GROUP BY month""").pl()
    found = table(home, "mrr_movements_monthly").filter(dimension="all")
    closing = found.select("month", closing=pl.col("closing_mrr_amount").cast(pl.Int64))
    assert_equal_tables("closing", closing, expected)


def test_cohorts_are_those_of_sql(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    expected = con.sql("""
        WITH cohort AS (SELECT id_student, min(month) AS cohort_month FROM present GROUP BY ALL),
        size AS (SELECT cohort_month, count(*) AS cohort_customers FROM cohort GROUP BY ALL)
        SELECT cohort_month, date_diff('month', cohort_month, e.month) AS period_index,
            cohort_customers, count(p.id_student) AS customers
        FROM size JOIN edge e ON e.month >= cohort_month
        LEFT JOIN (present JOIN cohort USING (id_student)) p USING (cohort_month, month)
        GROUP BY ALL""").pl()
    found = table(home, "revenue_cohorts")
    assert_equal_tables("revenue_cohorts", found.select(expected.columns), expected)


def test_who_gave_up_on_the_day_of_registration_was_never_a_customer(home: Path) -> None:
    rows = warehouse_table(home, "subscriptions")
    gone = rows.filter(pl.col("started_ts") == pl.col("ended_ts"))
    assert gone.height == 5
    assert gone["mrr_from_date"].null_count() == 5


def test_the_same_people_s_clicks_are_broken_down_by_what_they_are_registered_for(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Dimension ``plan`` and the columns of those who pay, of all activity tables."""
    clicks = oulad_clicks().filter(code_module="AAA", code_presentation="2013J")
    plans = con.sql("""
        WITH days AS (
            SELECT id_student, code_module,
                unnest(generate_series(start_day, end_day - 1, INTERVAL 1 DAY))::DATE AS day
            FROM paid WHERE end_day > start_day),
        registered AS (
            SELECT id_student, code_module, day, count(*) AS n FROM days GROUP BY ALL)
        SELECT day AS event_date, id_student AS user_id, NULL::VARCHAR AS country,
            code_module AS plan
        FROM registered
        QUALIFY row_number() OVER (
            PARTITION BY id_student, day ORDER BY n DESC, code_module) = 1""").pl()
    days_0 = ", ".join(f"('{code}', DATE '{day}')" for code, day in OULAD_STARTS.items())
    con.register("clicks", clicks.to_arrow())
    con.execute(f"""
        CREATE TABLE ev AS
        WITH start (code, day) AS (VALUES {days_0})
        SELECT (day + date::INT)::DATE AS event_date, (day + date::INT)::TIMESTAMP AS event_ts,
            '' AS event_id, 'click' AS event_name, id_student AS person, code_module AS platform,
            NULL::VARCHAR AS country, code_presentation AS channel, id_site AS feature
        FROM clicks JOIN start ON code = code_presentation""")
    through = con.sql("SELECT max(arrived) FROM clicks").fetchall()[0][0]
    expected = activity_oracle(
        con,
        week_start="sunday",
        wau_window_days=7,
        mau_window_days=28,
        data_through=through,
        dimensions=("platform", "country", "channel", "plan"),
        plans=plans,
    )
    with scratch() as folder:
        land_registrations(folder, OULAD_SETTINGS)
        land(clicks, folder, "clicks.tsv", separator="\t")
        run_home(folder, select=list(expected))
        for name, wanted in expected.items():
            assert_equal_tables(name, table(folder, name), wanted)
        daily = table(folder, "active_users_daily").filter(dimension="plan")
    # Some click on before they are registered or after they gave up.
    assert {"AAA", "none"} <= set(daily["segment"])
    assert daily.filter(segment="none")["dau"].sum() > 0
    assert daily.filter(segment="AAA")["active_paying_users"].sum() > 10_000
