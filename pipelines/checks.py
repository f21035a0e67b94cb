"""Checks between tables: what must hold of all of them together before anything is published.

What must hold within a row or a key stands in the schemas and is checked whenever a slice is built.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from transforms.fates import counted
from transforms.ingest_ledger import FACTS

Tables = Mapping[str, pl.LazyFrame]


@dataclass(frozen=True)
class Check:
    """A promise between tables. ``find`` gives the rows that break it, none where all is well."""

    name: str
    table: str
    others: tuple[str, ...]
    description: str
    find: Callable[[Tables], pl.LazyFrame]

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table that the check reads."""
        return (self.table, *self.others)


def _unconserved_files(tables: Tables) -> pl.LazyFrame:
    parts = pl.col("accepted_rows") + pl.col("quarantined_rows") + pl.col("duplicate_rows")
    return tables["ingest_ledger"].filter(pl.col("read_rows") != parts)


def _uncounted_events(tables: Tables) -> pl.LazyFrame:
    """Accepted rows of the ledger against the events that count."""
    ledger = tables["ingest_ledger"].filter(source="events").select(
        accepted=pl.col("accepted_rows").sum() - pl.col("excluded_rows").sum()
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
    joined = ledger.join(pl.concat(facts), on="source")
    return joined.filter(pl.col("accepted_rows") != pl.col("counted"))


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
)


def broken(check: Check, tables: Tables) -> str | None:
    """What is wrong, with an example; None where the check holds."""
    rows = check.find(tables).collect()
    if rows.is_empty():
        return None
    example = rows.row(0, named=True)
    return f"{check.name}: {check.description} Broken by {rows.height} rows, such as {example}"
