"""What must hold between the ledger and what was taken in."""

import polars as pl

from pipelines.checks.check import Check, Tables, apart
from transforms.fates import counted
from transforms.ingest_ledger import FACTS

_EVENTS = ("events", "duplicate_events", "excluded_events")


def _unconserved_files(tables: Tables) -> pl.LazyFrame:
    parts = pl.col("accepted_rows") + pl.col("quarantined_rows") + pl.col("duplicate_rows")
    return tables["ingest_ledger"].filter(pl.col("read_rows") != parts)


def _uncounted_events(tables: Tables) -> pl.LazyFrame:
    """Rows that kept the contract, as they were received, against what became of them."""
    kept = pl.col("read_rows") - pl.col("quarantined_rows")
    received = tables["ingest_ledger"].filter(source="events").select(received=kept.sum())
    told = pl.concat(tables[name].select("event_date") for name in _EVENTS)
    counts = told.select(told=pl.len().cast(pl.Int64))
    return apart(pl.concat((received, counts), how="horizontal"), "received", "told")


def _uncounted_rows(tables: Tables) -> pl.LazyFrame:
    """Accepted rows of the ledger that no rule leaves out, per source, against its facts'."""
    counts = pl.col("accepted_rows") - pl.col("excluded_rows")
    ledger = tables["ingest_ledger"].group_by("source").agg(counts.sum().alias("accepted_rows"))
    facts = [
        counted(tables[fact]).select(source=pl.lit(source), counted=pl.len().cast(pl.Int64))
        for source, fact in FACTS.items()
    ]
    others = ledger.filter(pl.col("source") != "events")
    joined = others.join(pl.concat(facts), on="source", how="full", coalesce=True)
    return apart(joined, "accepted_rows", "counted")


LEDGER_CHECKS = (
    Check(
        "rows_are_conserved",
        "ingest_ledger",
        (),
        "Of every file, rows read = accepted + quarantined + duplicate.",
        _unconserved_files,
    ),
    Check(
        "received_rows_are_events",
        "ingest_ledger",
        _EVENTS,
        "Rows that kept the contract = events that count + duplicates + excluded.",
        _uncounted_events,
    ),
    Check(
        "accepted_rows_are_facts",
        "ingest_ledger",
        tuple(FACTS.values()),
        "Accepted rows of the other sources, less staff's, are the rows of their facts that count.",
        _uncounted_rows,
    ),
)
