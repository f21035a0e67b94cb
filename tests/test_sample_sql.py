"""The sample's published tables against their second computation in SQL, cell by cell."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from homes import make_home, run_home, scratch, table
from homes import warehouse_table as stored_rows
from oracle.activity import TABLES as ACTIVITY
from oracle.activity import activity_oracle
from oracle.compare import assert_equal_tables
from oracle.facts import orders_oracle
from oracle.revenue import inactivity_oracle, revenue_oracle
from oracle.sessions import frequency_oracle, session_oracle
from oracle.social import social_oracle
from oracle.support import support_oracle
from oracle.surveys import survey_scores_oracle

from pipelines.home import open_home
from pipelines.references import REFERENCES
from pipelines.registry import BY_NAME
from pipelines.sample import ALL_SOURCES, write_sample
from pipelines.session import reading
from transforms.people import with_person

# Plans are compared where people are made up for it: the oracles take them in another form.
DIMENSIONS = ["platform", "country", "channel"]
SETTINGS = f"dimensions = {DIMENSIONS}\nretention_periods = {{days = 9, weeks = 4, months = 2}}\n"
NAIVE = pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        home = make_home(folder / "home", SETTINGS)
        (home / "landing" / "events").rmdir()
        truths = folder / "truths.json"
        write_sample(home / "landing", truths, days=40, users=150, seed=3, sources=ALL_SOURCES)
        run_home(home)
        yield home


@pytest.fixture
def con(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The landed rows, and the events with their person, their instants without a zone."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for source in ("surveys", "customers", "tickets"):
            rows = with_days(stored_rows(home, f"landed_{source}"))
            connection.register(f"landed_{source}", rows.to_arrow())
        for name in ("posts", "accounts"):
            rows = with_days(stored_rows(home, f"landed_social_{name}"))
            connection.register(f"landed_{name}", rows.to_arrow())
        connection.execute(
            "CREATE TABLE bearing (month DATE, user_id VARCHAR, plan VARCHAR, until INT)"
        )
        events = stored_rows(home, "events").lazy()
        people = with_person(events, stored_rows(home, "stitches").lazy()).collect()
        connection.register(
            "ev", people.rename({"user_id": "person"}).with_columns(NAIVE).to_arrow()
        )
        yield connection


def with_days(rows: pl.DataFrame) -> pl.DataFrame:
    """Instants without a zone, and the day of each beside it, which is that of UTC."""
    naive = rows.with_columns(NAIVE)
    days = [name for name, dtype in naive.schema.items() if dtype == pl.Datetime]
    return naive.with_columns(
        pl.col(name).dt.date().alias(name.removesuffix("_ts") + "_date") for name in days
    )


def through(home: Path, name: str) -> date:
    with reading(open_home(home)) as session:
        last = session.data_through(BY_NAME[name])
    assert last
    return last


def assert_published(home: Path, expected: dict[str, pl.DataFrame], *names: str) -> None:
    for name in names:
        zoned = expected[name].with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))
        found = table(home, name)
        assert found.height
        assert_equal_tables(name, found, zoned)


def test_activity(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    options: dict[str, Any] = {"wau_window_days": 7, "mau_window_days": 28}
    expected = activity_oracle(
        con,
        week_start="monday",
        data_through=through(home, "lifecycle"),
        dimensions=DIMENSIONS,
        retention_periods=(9, 4, 2),
        **options,
    )
    names = [name for name in ACTIVITY if name != "active_users_daily"]
    assert_published(home, expected, *names)


def test_sessions(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    calendar: dict[str, Any] = {
        "week_start": "monday",
        "data_through": through(home, "sessions_daily"),
    }
    expected = session_oracle(
        con,
        session_timeout_minutes=30,
        session_max_hours=24,
        use_source_sessions=False,
        goal_events=["purchase", "signup"],
        dimensions=DIMENSIONS,
        **calendar,
    )
    expected["engagement_frequency"] = frequency_oracle(con, **calendar)
    assert_published(home, expected, *expected)


def test_revenue(home: Path) -> None:
    customers = stored_rows(home, "customers").filter(fate="counts")
    rates = stored_rows(home, "exchange_rates").filter(fate="counts")
    expected = revenue_oracle(
        stored_rows(home, "landed_subscriptions"),
        customers.select("customer_id", "user_id", "country", "segment"),
        rates.select("day", "currency", "rate"),
        timezone="UTC",
        data_through=through(home, "churn_monthly"),
        dimensions=["country"],
        until=date(2025, 4, 30),
    )
    months = ("customer_months", "churn_monthly", "mrr_movements_monthly", "revenue_cohorts")
    assert_published(home, expected, *months)


def test_orders_and_churn_by_inactivity(home: Path) -> None:
    orders = stored_rows(home, "orders")
    own = stored_rows(home, "exchange_rates").filter(fate="counts")
    ecb = REFERENCES["ecb_rates"].load().filter(pl.col("day").dt.year() >= 2023)
    expected = orders_oracle(stored_rows(home, "landed_orders"), own, ecb, currency="EUR")
    assert_equal_tables("orders", orders, expected)
    last = through(home, "churn_by_inactivity_monthly")
    churn = inactivity_oracle(orders, days=90, data_through=last)
    assert_published(home, {"churn_by_inactivity_monthly": churn}, "churn_by_inactivity_monthly")


def test_surveys(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    last = through(home, "survey_scores")
    expected = survey_scores_oracle(
        con, dimensions=DIMENSIONS, week_start="monday", data_through=last
    )
    assert_published(home, {"survey_scores": expected}, "survey_scores")


def test_social_and_support(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    social = social_oracle(con, through(home, "social_posts"))
    assert_published(home, social, "social_engagement_daily", "social_posts")
    last = through(home, "support_tickets")
    support = support_oracle(con, week_start="monday", data_through=last)
    # Of hundreds of thousands of seconds, interpolation differs in the last bits.
    seconds = pl.selectors.ends_with("_seconds") & pl.selectors.float()
    found = table(home, "support_tickets")
    both = (rows.with_columns(seconds.round(6)) for rows in (found, support))
    assert_equal_tables("support_tickets", *both)
