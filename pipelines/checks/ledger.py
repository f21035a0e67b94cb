"""What must hold between the ledger and what was taken in."""

import polars as pl

from pipelines.checks.check import Check, Tables, apart
from transforms.fates import counted
from transforms.ingest_ledger import FACTS


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
)
