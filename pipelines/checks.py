"""Checks between tables: what must hold of all of them together before anything is published.

What must hold within a row or a key stands in the schemas and is checked whenever a slice is built.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from schemas.base import ALL
from transforms.fates import counted
from transforms.ingest_ledger import FACTS

Tables = Mapping[str, pl.LazyFrame]
Find = Callable[[Tables], pl.LazyFrame]


@dataclass(frozen=True)
class Check:
    """A promise between tables. ``find`` gives the rows that break it, none where all is well."""

    name: str
    table: str
    others: tuple[str, ...]
    description: str
    find: Find

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table that the check reads."""
        return (self.table, *self.others)


def _unconserved_files(tables: Tables) -> pl.LazyFrame:
    parts = pl.col("accepted_rows") + pl.col("quarantined_rows") + pl.col("duplicate_rows")
    return tables["ingest_ledger"].filter(pl.col("read_rows") != parts)


def _uncounted_events(tables: Tables) -> pl.LazyFrame:
    """Accepted rows of the ledger against the events that count."""
    ledger = (
        tables["ingest_ledger"]
        .filter(source="events")
        .select(accepted=pl.col("accepted_rows").sum() - pl.col("excluded_rows").sum())
    )
    events = tables["events"].select(events=pl.len().cast(pl.Int64))
    return pl.concat((ledger, events), how="horizontal").filter(
        pl.col("accepted") != pl.col("events")
    )


def _uncounted_rows(tables: Tables) -> pl.LazyFrame:
    """Accepted rows of the ledger, per source, against the rows of its facts that count."""
    ledger = tables["ingest_ledger"].group_by("source").agg(pl.col("accepted_rows").sum())
    facts = [
        counted(tables[fact]).select(source=pl.lit(source), counted=pl.len().cast(pl.Int64))
        for source, fact in FACTS.items()
    ]
    others = ledger.filter(pl.col("source") != "events")
    joined = others.join(pl.concat(facts), on="source", how="full", coalesce=True)
    return _apart(joined, "accepted_rows", "counted")


def _apart(rows: pl.LazyFrame, left: str, right: str) -> pl.LazyFrame:
    """Rows of which two counts or amounts differ; what is not there is zero."""
    return rows.filter(pl.col(left).fill_null(0) != pl.col(right).fill_null(0))


def _differing_daily_actives(tables: Tables) -> pl.LazyFrame:
    key = ["date", "dimension", "segment"]
    daily = tables["active_users_daily"].select(*key, "dau")
    lifecycle = tables["lifecycle"].filter(grain="day").rename({"period_start": "date"})
    other = lifecycle.select(*key, active="active_users")
    joined = daily.join(other, on=key, how="full", coalesce=True)
    return joined.filter(pl.col("dau").ne_missing(pl.col("active")))


def _differing_periodic_actives(tables: Tables) -> pl.LazyFrame:
    key = ["grain", "period_start", "dimension", "segment"]
    periodic = tables["active_users_periodic"].select(*key, "active_users")
    lifecycle = tables["lifecycle"].filter(pl.col("grain") != "day")
    other = lifecycle.select(*key, active="active_users")
    joined = periodic.join(other, on=key, how="full", coalesce=True)
    return joined.filter(pl.col("active_users").ne_missing(pl.col("active")))


def _differing_histogram(tables: Tables) -> pl.LazyFrame:
    key = ["grain", "period_start"]
    bars = tables["active_days_histogram"].group_by(key).agg(pl.col("users").sum())
    everybody = tables["active_users_periodic"].filter(dimension="all")
    actives = everybody.filter(pl.col("active_users") > 0).select(*key, "active_users")
    joined = bars.join(actives, on=key, how="full", coalesce=True)
    return joined.filter(pl.col("users").ne_missing(pl.col("active_users")))


def _differing_cohorts(tables: Tables) -> pl.LazyFrame:
    """Newcomers of a day against the size of its cohort."""
    sizes = tables["cohort_retention"].filter(
        definition="activity", grain="day", period_index=0, dimension="all"
    )
    everybody = sizes.select("cohort_users", date="cohort_start")
    new = tables["active_users_daily"].filter(
        (pl.col("new_users") > 0) & (pl.col("dimension") == "all")
    )
    joined = everybody.join(new.select("date", "new_users"), on="date", how="full", coalesce=True)
    return joined.filter(pl.col("cohort_users").ne_missing(pl.col("new_users")))


def _broken_chain(table: str, opening: str, closing: str) -> Find:
    """Months that do not open with what the month before closed with."""

    def find(tables: Tables) -> pl.LazyFrame:
        months = tables[table].filter(dimension=ALL).select("month", opening, closing)
        before = months.select(pl.col("month").dt.offset_by("1mo"), before=closing)
        return months.join(before, on="month").filter(pl.col(opening) != pl.col("before"))

    return find


def _differing_mrr(tables: Tables) -> pl.LazyFrame:
    """What customers bear at a month's end against the closing of the movements."""
    customers = tables["customer_months"].group_by("month").agg(pl.col("mrr_amount").sum())
    closing = tables["mrr_movements_monthly"].filter(dimension=ALL)
    joined = closing.select("month", "closing_mrr_amount").join(
        customers, on="month", how="full", coalesce=True
    )
    return _apart(joined, "closing_mrr_amount", "mrr_amount")


def _differing_customers(tables: Tables) -> pl.LazyFrame:
    """Customers that bear MRR at a month's end against those that churn_monthly ends with."""
    paying = tables["customer_months"].filter(pl.col("mrr_amount") > 0)
    payers = paying.group_by("month").agg(paying=pl.len().cast(pl.Int64))
    ends = tables["churn_monthly"].filter(dimension=ALL).select("month", "customers_end")
    joined = ends.join(payers, on="month", how="full", coalesce=True)
    return _apart(joined, "customers_end", "paying")


def _differing_sessions(tables: Tables) -> pl.LazyFrame:
    """Sessions that start on a day against those that sessions_daily counts."""
    starts = tables["sessions"].group_by("date").agg(started=pl.len().cast(pl.Int64))
    daily = tables["sessions_daily"].filter(dimension=ALL).select("date", "sessions")
    joined = daily.join(starts, on="date", how="full", coalesce=True)
    return _apart(joined, "sessions", "started")


def _differing_periodic_sessions(tables: Tables) -> pl.LazyFrame:
    """Sessions of the days of a month against those of the month."""
    days = tables["sessions_daily"].group_by(
        "dimension", "segment", period_start=pl.col("date").dt.month_start()
    )
    months = tables["sessions_periodic"].filter(grain="month")
    key = ["period_start", "dimension", "segment"]
    joined = months.select(*key, "sessions").join(
        days.agg(of_days=pl.col("sessions").sum()), on=key, how="full", coalesce=True
    )
    return _apart(joined, "sessions", "of_days")


CHECKS = (
    Check(
        "rows_are_conserved",
        "ingest_ledger",
        (),
        "Of every file, rows read = accepted + quarantined + duplicate.",
        _unconserved_files,
    ),
    Check(
        "accepted_rows_are_events",
        "ingest_ledger",
        ("events",),
        "Accepted rows, less those left out as bots', are the events that count.",
        _uncounted_events,
    ),
    Check(
        "accepted_rows_are_facts",
        "ingest_ledger",
        tuple(FACTS.values()),
        "Accepted rows of the other sources are the rows of their facts that count.",
        _uncounted_rows,
    ),
    Check(
        "daily_actives_agree",
        "lifecycle",
        ("active_users_daily",),
        "Active users of a day are the same in lifecycle and in active_users_daily.",
        _differing_daily_actives,
    ),
    Check(
        "periodic_actives_agree",
        "lifecycle",
        ("active_users_periodic",),
        "Active users of a week or month are the same in lifecycle and in active_users_periodic.",
        _differing_periodic_actives,
    ),
    Check(
        "histogram_adds_up",
        "active_days_histogram",
        ("active_users_periodic",),
        "The users of all bars of a period are its active users.",
        _differing_histogram,
    ),
    Check(
        "cohorts_are_newcomers",
        "cohort_retention",
        ("active_users_daily",),
        "The cohort of a day has as many users as were new on it.",
        _differing_cohorts,
    ),
    Check(
        "mrr_opens_as_it_closed",
        "mrr_movements_monthly",
        (),
        "A month's opening MRR is the closing of the month before.",
        _broken_chain("mrr_movements_monthly", "opening_mrr_amount", "closing_mrr_amount"),
    ),
    Check(
        "mrr_is_that_of_the_customers",
        "mrr_movements_monthly",
        ("customer_months",),
        "A month's closing MRR is the sum of its customers'.",
        _differing_mrr,
    ),
    Check(
        "customers_start_as_they_ended",
        "churn_monthly",
        (),
        "The customers at a month's start are those at the end of the month before.",
        _broken_chain("churn_monthly", "customers_start", "customers_end"),
    ),
    Check(
        "customers_are_those_who_pay",
        "churn_monthly",
        ("customer_months",),
        "The customers at a month's end are those with MRR.",
        _differing_customers,
    ),
    Check(
        "sessions_are_counted_once",
        "sessions_daily",
        ("sessions",),
        "The sessions of a day are those that start on it.",
        _differing_sessions,
    ),
    Check(
        "sessions_of_days_are_those_of_the_month",
        "sessions_periodic",
        ("sessions_daily",),
        "The sessions of a month are those of its days.",
        _differing_periodic_sessions,
    ),
)


def broken(check: Check, tables: Tables) -> str | None:
    """What is wrong, with an example; None where the check holds."""
    rows = check.find(tables).collect()
    if rows.is_empty():
        return None
    example = rows.row(0, named=True)
    return f"{check.name}: {check.description} Broken by {rows.height} rows, such as {example}"
