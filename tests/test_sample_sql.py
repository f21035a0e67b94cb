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
from oracle.alerts import alerts_oracle
from oracle.campaigns import campaigns_oracle, email_oracle, habit_oracle
from oracle.channels import conversions_oracle, traffic_oracle
from oracle.compare import assert_equal_tables
from oracle.facts import orders_oracle
from oracle.pages import interactivity_oracle, pages_oracle
from oracle.product import feature_oracle, funnel_oracle
from oracle.profiles import feedback_oracle, profiles_oracle
from oracle.revenue import inactivity_oracle, revenue_oracle
from oracle.scorecard import scorecard_oracle
from oracle.sessions import frequency_oracle, session_oracle
from oracle.social import social_oracle
from oracle.spines import spines
from oracle.support import support_oracle
from oracle.surveys import survey_scores_oracle
from report_rows import read_page

from pipelines.home import open_home
from pipelines.references import REFERENCES
from pipelines.registry import BY_NAME
from pipelines.report.report import report_page
from pipelines.sample import ALL_SOURCES, write_sample
from pipelines.session import reading
from pipelines.setting_models import BENCHMARKS
from transforms.kpi_scorecard import kpi_scorecard
from transforms.kpis import SCORECARD_READS
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
    expected["traffic_sources_daily"] = traffic_oracle(
        con, attribution_days=90, data_through=calendar["data_through"]
    )
    goals = {"purchase": ["purchase"], "signup": ["signup"]}
    expected |= conversions_oracle(con, expected, goals=goals, **calendar)
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


def test_campaigns_and_mails(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    for name, fact in (
        ("orders", "orders"),
        ("costs", "campaign_costs"),
        ("customers", "customers"),
    ):
        con.register(name, stored_rows(home, fact).with_columns(NAIVE).to_arrow())
    starts = stored_rows(home, "session_days").select("started_ts", "date", person="user_id")
    con.register("visit", starts.with_columns(NAIVE).to_arrow())
    days = campaigns_oracle(con, data_through=through(home, "campaigns_daily"))
    mails = email_oracle(
        con,
        goals=["purchase", "signup"],
        days=90,
        data_through=through(home, "email_campaigns"),
    )
    habit = habit_oracle(con, week_start="monday", data_through=through(home, "email_habit"))
    expected = {"campaigns_daily": days, "email_campaigns": mails, "email_habit": habit}
    assert_published(home, expected, *expected)


def test_features_and_funnels(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    features = feature_oracle(
        con,
        week_start="monday",
        data_through=through(home, "feature_usage"),
        dimensions=DIMENSIONS,
    )
    assert_published(home, {"feature_usage": features}, "feature_usage")
    funnels = [
        {
            "name": goal,
            "steps": [{"name": name, "events": [name]} for name in ("page_view", goal)],
            "window_hours": 168,
        }
        for goal in ("purchase", "signup")
    ]
    last = through(home, "funnel_daily")
    expected = funnel_oracle(con, funnels, timezone="UTC", data_through=last)
    # Of hundreds of thousands of seconds, interpolation differs in the last bits.
    seconds = pl.col("median_seconds_from_previous").round(6)
    both = (rows.with_columns(seconds) for rows in (table(home, "funnel_daily"), expected))
    assert_equal_tables("funnel_daily", *both)


def test_scorecard(home: Path) -> None:
    tables = {name: table(home, name) for name in SCORECARD_READS}
    benchmarks = {name: each.model_dump() for name, each in BENCHMARKS.items()}
    expected = scorecard_oracle(tables, benchmarks, through(home, "kpi_scorecard"))
    # Seconds are whole millionths, added up here as integers and there as decimals.
    whole = pl.col("numerator").round(6)
    found = table(home, "kpi_scorecard")
    assert_equal_tables("scorecard", found.with_columns(whole), expected.with_columns(whole))


def test_scorecard_of_months_that_are_not_complete(home: Path) -> None:
    """Every third row is said to be of a month that is not over, and days end in mid-month."""
    middle = date(2025, 3, 15)
    tables = {}
    for name in SCORECARD_READS:
        rows = table(home, name)
        if "is_complete" in rows.columns:
            rows = rows.with_columns(is_complete=pl.int_range(pl.len()) % 3 > 0)
        tables[name] = rows.filter(pl.col("date") <= middle) if "date" in rows.columns else rows
    benchmarks = {name: each.model_dump() for name, each in BENCHMARKS.items()}
    benchmarks["csat_1_5"] = {**benchmarks["nps"], "direction": "lower"}
    expected = scorecard_oracle(tables, benchmarks, middle)
    lazy = {name: rows.lazy() for name, rows in tables.items()}
    found = kpi_scorecard(benchmarks=benchmarks, data_through=middle, **lazy).collect()
    assert found["is_complete"].n_unique() == 2
    whole = pl.col("numerator").round(6)
    assert_equal_tables("scorecard", found.with_columns(whole), expected.with_columns(whole))


def test_pages_and_interactivity(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    session_oracle(
        con,
        session_timeout_minutes=30,
        session_max_hours=24,
        use_source_sessions=False,
        goal_events=["purchase", "signup"],
        dimensions=[],
        week_start="monday",
        data_through=through(home, "sessions_daily"),
    )
    interactions = open_home(home).settings.interactions
    last = through(home, "interactivity_daily")
    expected = interactivity_oracle(con, interactions=interactions, data_through=last)
    assert set(expected["action"]) >= {"click", "share", "search", "chat"}
    assert_published(home, {"interactivity_daily": expected}, "interactivity_daily")
    pages = pages_oracle(con, data_through=through(home, "pages_daily"))
    assert pages["timed_views"].sum()
    assert pages["scroll_views"].sum()
    # Whole microseconds have quantiles of a tenth; interpolation differs in the last bits.
    even = pl.col("^(median|p90)_.*$").round(8)
    both = (rows.with_columns(even) for rows in (table(home, "pages_daily"), pages))
    assert_equal_tables("pages_daily", *both)


def test_feedback_and_profiles(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    feedback = feedback_oracle(con, through(home, "feedback_monthly"))
    assert_published(home, {"feedback_monthly": feedback}, "feedback_monthly")
    _register_profile_sources(home, con)
    options = open_home(home).settings.model_dump()
    expected = profiles_oracle(con, options, through(home, "customer_profiles"))
    # A score is a hundred times a ratio: its last bits weigh a hundred times as much.
    floats = pl.col(pl.Float64).round(9)
    found = table(home, "customer_profiles").drop("churn_risk", "churn_risk_model")
    both = (rows.with_columns(floats) for rows in (found, expected))
    assert_equal_tables("customer_profiles", *both)


def _register_profile_sources(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    """What the profiles' second computation reads, from facts that have an own one."""
    subscriptions = stored_rows(home, "subscriptions").with_columns(NAIVE)
    bears = subscriptions.filter(pl.col("mrr_from_date").is_not_null(), pl.col("mrr_amount") > 0)
    orders = stored_rows(home, "orders").filter(fate="counts").with_columns(NAIVE)
    names = ["customer_id", "plan", "mrr_amount", "status"]
    ends = {"from_date": "mrr_from_date", "until_date": "mrr_until_date"}
    sources = {
        "bears": bears.select(*names, **ends),
        "begun": subscriptions.filter(fate="counts").select(
            "customer_id", day=pl.col("started_ts").dt.date()
        ),
        "ordered": orders,
        "worth": table(home, "customer_lifetime_value").select(
            "customer_id", value="expected_value_amount"
        ),
        "raw_events": stored_rows(home, "events").with_columns(NAIVE),
    }
    for name, rows in sources.items():
        con.register(name, rows.to_arrow())
    con.execute("""
        CREATE TABLE active AS SELECT DISTINCT person AS user_id, event_date AS day FROM ev
        WHERE event_name NOT IN ('email_sent', 'email_delivered', 'email_bounced', 'email_opened',
            'ad_impression');
        CREATE TABLE named AS SELECT user_id, min(event_date) AS day FROM raw_events
        WHERE user_id IS NOT NULL GROUP BY ALL;
        CREATE TABLE mailed AS SELECT person AS user_id, event_date AS day,
            count(*) FILTER (event_name = 'email_delivered') AS delivered,
            count(*) FILTER (event_name = 'email_opened'
                AND NOT coalesce(is_machine_open, false)) AS opened
        FROM ev WHERE event_name LIKE 'email_%' GROUP BY ALL""")


def test_identities_and_what_is_left_out(home: Path) -> None:
    expected = spines(
        stored_rows(home, "landed_events"),
        stored_rows(home, "landed_customers"),
        duplicate_days=7,
        exclude_bots=True,
        exclude_staff=True,
        crawlers="Googlebot",
        excluded_traffic=[],
        stitch_days=30,
        active_events=[],
        key_features=[],
        dimensions=[],
    )
    linked = expected["identities"].with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))
    assert linked["events"].sum()
    assert_equal_tables("identities", table(home, "identities"), linked)
    daily = table(home, "excluded_daily").filter(pl.col("events") > 0).drop("is_complete")
    left_out = expected["excluded_days"].rename({"event_date": "date"})
    assert set(left_out["rule"]) == {"flag", "user_agent", "staff"}
    assert_equal_tables("excluded_daily", daily, left_out)
    ledger = table(home, "ingest_ledger").filter(source="events")
    assert ledger["excluded_rows"].sum() == expected["excluded_events"].height


def test_alerts(home: Path) -> None:
    """Forty days are too few to judge by the usual rule, so that both say nothing."""
    read = {name: table(home, name) for name in BY_NAME["metric_alerts"].reads}
    assert alerts_oracle(read, lag_days=0, deviations=5, min_change=0.2).is_empty()
    assert table(home, "metric_alerts").is_empty()


def test_the_report_shows_the_numbers_of_the_tables(
    home: Path, con: duckdb.DuckDBPyConnection
) -> None:
    folder = (home / "bi" / ".current").resolve()
    exact = read_page(report_page(folder, timezone="UTC", currency="EUR")).exact

    def sums(sql: str) -> list[tuple[float, ...]]:
        rows = con.execute(sql.replace("BI", str(folder))).fetchall()
        return [tuple(map(float, row)) for row in rows]

    def shown(figure: str, first: int, last: int) -> list[tuple[float, ...]]:
        return [tuple(map(float, row[first:last])) for row in exact[figure][1:]]

    assert shown("active-users", 1, 4) == sums(
        "SELECT dau, wau, mau FROM 'BI/active_users_daily.parquet' WHERE dimension = 'all' "
        "ORDER BY date DESC"
    )
    assert shown("lifecycle-weeks", 1, 6) == sums(
        "SELECT retained_users, resurrected_users, new_users, dormant_users, active_users "
        "FROM 'BI/lifecycle.parquet' WHERE dimension = 'all' AND grain = 'week' "
        "ORDER BY period_start DESC"
    )
    assert shown("mrr-movements", 1, 8) == sums(
        "SELECT opening_mrr_amount, new_mrr_amount, reactivation_mrr_amount, "
        "expansion_mrr_amount, contraction_mrr_amount, churn_mrr_amount, closing_mrr_amount "
        "FROM 'BI/mrr_movements_monthly.parquet' WHERE dimension = 'all' "
        "ORDER BY month DESC LIMIT 24"
    )
    assert shown("order-worth", 1, 3) == sums(
        "SELECT orders, revenue_amount FROM 'BI/clv_monthly.parquet' "
        "WHERE dimension = 'all' AND model = 'bg_nbd' ORDER BY month DESC LIMIT 24"
    )
    assert shown("channel-sessions", 1, 3) == sums(
        "SELECT sum(sessions), sum(converting_sessions) FROM 'BI/traffic_sources_daily.parquet', "
        "(SELECT max(date) AS last FROM 'BI/active_users_daily.parquet') "
        "WHERE date > last - 28 GROUP BY channel ORDER BY 1 DESC, channel"
    )
    assert [row[:2] for row in shown("row-fates", 3, 6)] == sums(
        "SELECT sum(read_rows), sum(accepted_rows) FROM 'BI/ingest_ledger.parquet' "
        "GROUP BY source ORDER BY 1 DESC, source"
    )
