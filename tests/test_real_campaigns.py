"""The MineThatData e-mail challenge: two mails and a control group, and what people did after them.

The data set has neither ids nor days. Every row is taken for a person; mails go out on one morning,
visits and orders are spread over the thirteen days after it.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import make_home, run_home, scratch, table, warehouse_table
from oracle.campaigns import email_oracle, habit_oracle
from oracle.compare import assert_equal_tables
from real_data import needs_real_data, read

pytestmark = needs_real_data
SETTINGS = 'currency = "USD"\nattribution_days = 14\n'
MAILED, ARRIVED = date(2008, 3, 20), date(2008, 4, 3)
CONTROL = "No E-Mail"
# What is published of each mail: people, and of these the share that came, that bought, and the
# dollars each of them spent on the mean.
PUBLISHED = {
    "Mens E-Mail": (21_307, 0.1828, 0.01253, 1.4226),
    "Womens E-Mail": (21_387, 0.1514, 0.00884, 1.0772),
}


def customers() -> pl.DataFrame:
    rows = read("hillstrom_email", "hillstrom.csv.gz").with_row_index("number")
    later = pl.duration(days=1 + pl.col("number") % 13)
    return rows.with_columns(
        pl.format("p{}", "number").alias("user_id"),
        came_ts=pl.lit(MAILED).cast(pl.Datetime).dt.offset_by("9h") + later,
    )


def land(home: Path, source: str, rows: pl.DataFrame) -> None:
    folder = home / "landing" / source / ARRIVED.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    moments = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows.with_columns(moments).write_csv(folder / f"{source}.csv")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    people = customers()
    mailed = people.filter(pl.col("segment") != CONTROL).select(
        "user_id",
        event_name=pl.lit("email_delivered"),
        event_ts=pl.lit(MAILED).cast(pl.Datetime).dt.offset_by("9h"),
        campaign="segment",
    )
    visits = people.filter(visit="1").select(
        "user_id",
        event_name=pl.lit("page_view"),
        event_ts="came_ts",
        campaign=pl.lit(None, pl.String),
    )
    bought = people.filter(conversion="1").select(
        order_id=pl.format("o{}", "number"),
        customer_id="user_id",
        ordered_ts=pl.col("came_ts").dt.offset_by("5m"),
        amount="spend",
        currency=pl.lit("USD"),
    )
    with scratch() as folder:
        root = make_home(folder / "home", SETTINGS)
        land(root, "events", pl.concat([mailed, visits]))
        land(root, "orders", bought)
        run_home(root, select=["email_campaigns", "email_habit"])
        yield root


def test_the_rates_of_each_mail_are_those_published(home: Path) -> None:
    found = table(home, "email_campaigns")
    assert sorted(found["campaign"]) == sorted(PUBLISHED)
    for campaign, (people, visiting, converting, spent) in PUBLISHED.items():
        row = found.row(by_predicate=pl.col("campaign") == campaign, named=True)
        assert (row["delivered"], row["mailed_users"]) == (people, people)
        assert round(row["visiting_users"] / people, 4) == visiting
        assert round(row["converting_users"] / people, 5) == converting
        assert round(float(row["revenue_amount"]) / people, 4) == spent


def test_every_person_and_cent_of_the_file_is_there(home: Path) -> None:
    sums = (
        customers()
        .group_by(campaign="segment")
        .agg(
            pl.len().cast(pl.Int64).alias("delivered"),
            pl.col("visit").cast(pl.Int64).sum().alias("visiting_users"),
            pl.col("conversion").cast(pl.Int64).sum().alias("converting_users"),
            pl.col("spend").cast(pl.Decimal(18, 4)).sum().alias("revenue_amount"),
        )
    )
    expected = sums.filter(pl.col("campaign") != CONTROL)
    found = table(home, "email_campaigns").select(expected.columns)
    assert_equal_tables("email_campaigns", found, expected)
    # What the control group did stands nowhere, though they came and bought too.
    control = sums.row(by_predicate=pl.col("campaign") == CONTROL, named=True)
    assert (control["delivered"], control["visiting_users"]) == (21_306, 2_262)
    assert control["revenue_amount"] > Decimal(0)


def test_the_mails_give_the_tables_that_sql_gives(home: Path) -> None:
    naive = pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None)
    with duckdb.connect() as con:
        for name in ("events", "orders", "customers", "session_days"):
            con.register(name, warehouse_table(home, name).with_columns(naive).to_arrow())
        con.execute("CREATE TEMP VIEW ev AS SELECT *, user_id AS person FROM events")
        con.execute("CREATE TEMP VIEW visit AS SELECT *, user_id AS person FROM session_days")
        mails = email_oracle(con, goals=["purchase", "signup"], days=14, data_through=ARRIVED)
        habit = habit_oracle(con, week_start="monday", data_through=ARRIVED)
    assert_equal_tables("email_campaigns", table(home, "email_campaigns"), mails)
    assert_equal_tables("email_habit", table(home, "email_habit"), habit)
