"""What became of every row of every landed file."""

import polars as pl

from transforms.fates import AWAITING_RATE, DUPLICATE, EXCLUDED

# The fact table of each source, which tells the fate of every landed row.
FACTS = {
    "surveys": "survey_responses",
    "subscriptions": "subscriptions",
    "orders": "orders",
    "social_posts": "post_snapshots",
    "social_accounts": "account_snapshots",
    "tickets": "tickets",
    "campaign_costs": "campaign_costs",
    "exchange_rates": "exchange_rates",
    "customers": "customers",
}
# Of these the first received counts, and what a twin says beside it is told.
TWINS = {"events": "duplicate_events", "orders": "duplicate_orders"}
LEDGER_READS = (
    "receipts_events",
    *TWINS.values(),
    "excluded_events",
    *(f"receipts_{source}" for source in FACTS),
    *FACTS.values(),
)
_FILE = ["landing_date", "file"]
_LOST = ("duplicate_rows", "awaiting_rate_rows")
_FATES = dict(zip((*_LOST, "excluded_rows"), (DUPLICATE, AWAITING_RATE, EXCLUDED), strict=True))


def ingest_ledger(**tables: pl.LazyFrame) -> pl.LazyFrame:
    """One row per landed file, its rows counted by what became of them.

    ``tables`` are those of ``LEDGER_READS``. Duplicates, and money without a rate, become known
    only when all files are seen together, so they come from the facts and are taken off the rows
    that kept the contract. ``excluded_rows`` are those of the accepted ones that a rule leaves out.
    """
    lost = [tables["duplicate_events"], tables["excluded_events"]]
    parts = [_of_source("events", tables["receipts_events"], _fates(_told(*lost)))]
    parts += [
        _of_source(source, tables[f"receipts_{source}"], _fates(tables[fact]))
        for source, fact in FACTS.items()
    ]
    twins = pl.concat(_differing(source, tables[name]) for source, name in TWINS.items())
    ledger = pl.concat(parts).join(twins, on=["source", *_FILE], how="left")
    return ledger.select(
        "landing_date",
        "source",
        "file",
        "status",
        "raw_rows",
        "filtered_rows",
        "forgotten_rows",
        "read_rows",
        accepted_rows=pl.col("landed_rows") - pl.sum_horizontal(*_LOST),
        quarantined_rows=pl.col("quarantined_rows") + pl.col("awaiting_rate_rows"),
        awaiting_rate_rows="awaiting_rate_rows",
        duplicate_rows="duplicate_rows",
        differing_rows=pl.col("differing_rows").fill_null(0),
        excluded_rows="excluded_rows",
        late_1d_rows="late_1d_rows",
        late_7d_rows="late_7d_rows",
        late_30d_rows="late_30d_rows",
        future_rows="future_rows",
    )


def _told(duplicates: pl.LazyFrame, excluded: pl.LazyFrame) -> pl.LazyFrame:
    """Events that do not count, by file and fate."""
    fates = {DUPLICATE: duplicates, EXCLUDED: excluded}
    return pl.concat(rows.select(*_FILE, fate=pl.lit(fate)) for fate, rows in fates.items())


def _differing(source: str, duplicates: pl.LazyFrame) -> pl.LazyFrame:
    """By file, the duplicates that say something else than the row that counts."""
    counts = duplicates.group_by(_FILE).agg(differing_rows=pl.col("differs").sum().cast(pl.Int64))
    return counts.with_columns(source=pl.lit(source))


def _fates(facts: pl.LazyFrame) -> pl.LazyFrame:
    counts = {name: (pl.col("fate") == fate).sum().cast(pl.Int64) for name, fate in _FATES.items()}
    return facts.group_by(_FILE).agg(**counts)


def _of_source(source: str, receipts: pl.LazyFrame, counts: pl.LazyFrame) -> pl.LazyFrame:
    joined = receipts.join(counts, on=_FILE, how="left")
    return joined.with_columns(pl.col(*_FATES).fill_null(0), source=pl.lit(source))
