"""From landed tickets to the support table, against SQL, and the laws that it keeps."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
from frames import assert_same, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.support import support_oracle

from schemas.base import empty
from schemas.landed_tickets import LandedTickets
from schemas.staff import Staff
from schemas.support_tickets import SupportTickets
from schemas.tickets import Tickets
from transforms.support_tickets import support_tickets
from transforms.tickets import tickets

FIRST = at("2024-02-20 00:00")
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles"]
WEEK_STARTS = ["monday", "sunday", "saturday"]
QUANTILES = "^(median|p90)_.*$"

instants = st.integers(0, 30 * 24 * 60 * 60).map(lambda seconds: FIRST + timedelta(seconds=seconds))
maybe = st.none() | instants
rows = st.lists(
    st.fixed_dictionaries(
        {
            "ticket_id": st.sampled_from("abcdefgh"),
            "channel": st.sampled_from([None, "mail", "chat", "all"]),
            "tier": st.sampled_from([None, "gold"]),
            "opened_ts": instants,
            "first_reply_ts": maybe,
            "resolved_ts": maybe,
            "closed_ts": maybe,
            "reopened_count": st.none() | st.integers(0, 2),
            "updated_ts": st.none() | st.integers(0, 3).map(lambda day: FIRST + timedelta(day)),
            "landing_date": st.integers(0, 2).map(lambda day: FIRST.date() + timedelta(31 + day)),
            "file": st.sampled_from(["a.csv", "b.csv"]),
        }
    ),
    max_size=20,
)
horizons = st.integers(0, 30).map(lambda days: FIRST.date() + timedelta(days))


def landed(given_rows: list[dict[str, Any]]) -> pl.LazyFrame:
    numbered = [
        {**row, "event_date": row["opened_ts"].date(), "line": line}
        for line, row in enumerate(given_rows, 1)
    ]
    return frame(LandedTickets, numbered)


def support(
    given_rows: pl.LazyFrame, timezone: str, week_start: str, through: date
) -> pl.DataFrame:
    """The published table by way of the fact, as the warehouse makes it."""
    fact = collected(tickets(given_rows, empty(Staff)), Tickets).lazy()
    table = support_tickets(fact, timezone=timezone, week_start=week_start, data_through=through)
    return collected(table, SupportTickets)


def by_sql(
    given_rows: list[dict[str, Any]], timezone: str, week_start: str, through: date
) -> pl.DataFrame:
    zone = ZoneInfo(timezone)
    local = {
        f"{name}_date": pl.Series(
            [row[f"{name}_ts"] and row[f"{name}_ts"].astimezone(zone).date() for row in given_rows],
            dtype=pl.Date,
        )
        for name in ("opened", "resolved", "closed")
    }
    naive = pl.col(pl.Datetime).dt.replace_time_zone(None)
    table = landed(given_rows).collect().with_columns(naive, **local)
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("landed_tickets", table.to_arrow())
        return support_oracle(con, week_start=week_start, data_through=through)


@settings(max_examples=300 if LONG else 15, deadline=None)
@given(rows, st.sampled_from(ZONES), st.sampled_from(WEEK_STARTS), horizons)
def test_tickets_give_the_table_that_sql_gives(
    given_rows: list[Any], timezone: str, week_start: str, through: date
) -> None:
    found = support(landed(given_rows), timezone, week_start, through)
    expected = by_sql(given_rows, timezone, week_start, through)
    # Whole seconds have quantiles of a tenth; how one interpolates shows in the last bits only.
    tenths = pl.col(QUANTILES).round(1)
    assert_equal_tables(
        "support_tickets", found.with_columns(tenths), expected.with_columns(tenths)
    )


@settings(max_examples=100 if LONG else 10, deadline=None)
@given(rows, st.randoms())
def test_rows_may_come_in_any_order(given_rows: list[Any], random: Any) -> None:
    one = landed(given_rows).collect()
    other = one[random.sample(range(one.height), one.height)]
    through = day("2024-03-21")
    assert_same(
        support(one.lazy(), "UTC", "monday", through),
        support(other.lazy(), "UTC", "monday", through),
    )


@settings(max_examples=100 if LONG else 10, deadline=None)
@given(rows, horizons)
def test_counts_of_channels_and_tiers_and_of_grains_add_up_to_the_same(
    given_rows: list[Any], through: date
) -> None:
    counts = ["opened", "still_open", "resolved", "reopened", "timed_resolved", "replied"]
    table = support(landed(given_rows), "UTC", "monday", through)
    is_total = {name: pl.col(name) == "all" for name in ("channel", "tier")}
    views = [
        table.filter(grain=grain).filter(is_total["channel"] == channel, is_total["tier"] == tier)
        for grain in ("day", "week", "month")
        for channel in (True, False)
        for tier in (True, False)
    ]
    assert len({view.select(pl.col(counts).sum()).row(0) for view in views}) == 1
