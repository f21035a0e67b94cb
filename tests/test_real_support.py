"""Real input: the audit log of a year of incidents, mapped by settings alone."""

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import make_home, run_home, scratch, table, warehouse_table
from oracle.compare import assert_equal_tables
from oracle.support import support_oracle
from real_data import VARIABLE, needs_real_data, read

pytestmark = [needs_real_data, pytest.mark.only_tables("support_tickets", "ingest_ledger")]
LOG = ("incident_event_log", "incident_event_log.csv.gz")
LAST_DAY = date(2017, 2, 18)
SETTINGS = """\
[sources.tickets]
path = "*.csv.gz"

[sources.tickets.columns]
ticket_id = "number"
customer_id = { column = "caller_id", nulls = ["?"] }
channel = { column = "contact_type", nulls = ["?"] }
tier = { column = "priority", nulls = ["?"] }
opened_ts = { column = "opened_at", format = "%d/%m/%Y %H:%M", zone = "UTC" }
resolved_ts = { column = "resolved_at", nulls = ["?"], format = "%d/%m/%Y %H:%M", zone = "UTC" }
closed_ts = { column = "closed_at", nulls = ["?"], format = "%d/%m/%Y %H:%M", zone = "UTC" }
reopened_count = "reopen_count"
updated_ts = { column = "sys_updated_at", format = "%d/%m/%Y %H:%M", zone = "UTC" }
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with scratch() as folder:
        root = make_home(folder / "home", SETTINGS)
        landing = root / "landing" / "tickets" / LAST_DAY.isoformat()
        landing.mkdir(parents=True)
        shutil.copy(Path(os.environ[VARIABLE], *LOG), landing)
        run_home(root)
        yield root


def test_every_row_of_the_log_is_a_state_and_one_state_of_a_ticket_counts(home: Path):
    fates = warehouse_table(home, "tickets")["fate"].value_counts()
    # The data set's own figures: 141,712 rows of 24,918 incidents.
    assert dict(fates.rows()) == {"counts": 24_918, "duplicate": 141_712 - 24_918}
    account = table(home, "ingest_ledger").select(
        "read_rows", "accepted_rows", "quarantined_rows", "duplicate_rows"
    )
    assert account.rows() == [(141_712, 24_918, 0, 141_712 - 24_918)]


def test_the_log_gives_the_table_that_sql_gives(home: Path):
    with duckdb.connect() as con:
        con.register("log", read(*LOG).with_row_index("line").to_arrow())
        times = {"opened": "opened_at", "resolved": "resolved_at", "closed": "closed_at"}
        moment = "strptime(nullif({}, '?'), '%d/%m/%Y %H:%M')"
        read_times = ", ".join(
            f"{moment.format(raw)} AS {name}_ts, {moment.format(raw)}::DATE AS {name}_date"
            for name, raw in times.items()
        )
        con.execute(f"""
            CREATE VIEW landed_tickets AS
            SELECT number AS ticket_id, nullif(contact_type, '?') AS channel,
                nullif(priority, '?') AS tier, {read_times}, NULL::TIMESTAMP AS first_reply_ts,
                reopen_count::INT AS reopened_count, {moment.format("sys_updated_at")}
                AS updated_ts, NULL::DATE AS landing_date, '' AS file, line, 1 AS item
            FROM log""")
        expected = support_oracle(con, week_start="monday", data_through=LAST_DAY)
    # Times are of whole minutes; how one interpolates between two shows in the last bits only.
    tenths = pl.col("^(median|p90)_.*$").round(1)
    found = table(home, "support_tickets")
    assert_equal_tables(
        "support_tickets", found.with_columns(tenths), expected.with_columns(tenths)
    )


def test_the_totals_are_those_of_the_log(home: Path):
    months = table(home, "support_tickets").filter(grain="month", channel="all", tier="all")
    # All were closed in the end, 1,556 of them without being resolved; 275 had been reopened.
    counts = ["opened", "resolved", "timed_resolved", "still_open", "reopened", "replied"]
    assert months.select(pl.col(counts).sum()).row(0) == (24_918, 24_918, 24_918, 0, 275, 0)
    assert months["period_start"].min() == date(2016, 2, 1)
    assert months["is_complete"].to_list() == [*[True] * 12, False]


def test_a_ticket_closed_without_being_resolved_is_resolved_on_that_day(home: Path):
    log = read(*LOG)
    days = table(home, "support_tickets").filter(grain="day", channel="all", tier="all")
    last = log.with_row_index().group_by("number").agg(pl.all().sort_by("index").last())
    closed = last.filter(pl.col("resolved_at") == "?")
    assert closed.height == 1_556
    ended = pl.when(pl.col("resolved_at") == "?").then("closed_at").otherwise("resolved_at")
    by_day = last.group_by(period_start=ended.str.to_datetime("%d/%m/%Y %H:%M").dt.date()).agg(
        expected=pl.len().cast(pl.Int64)
    )
    both = days.join(by_day, on="period_start", how="left").with_columns(
        pl.col("expected").fill_null(0)
    )
    assert both["resolved"].equals(both["expected"])
