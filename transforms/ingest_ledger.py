"""What became of every row of every landed file."""

import polars as pl

from transforms.fates import AWAITING_RATE, DUPLICATE

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
LEDGER_READS = (
    "receipts_events",
    "duplicate_events",
    *(f"receipts_{source}" for source in FACTS),
    *FACTS.values(),
)
_FILE = ["landing_date", "file"]
_FATES = {"duplicate_rows": DUPLICATE, "awaiting_rate_rows": AWAITING_RATE}


def ingest_ledger(*, exclude_bots: bool, **tables: pl.LazyFrame) -> pl.LazyFrame:
    """One row per landed file, its rows counted by what became of them.

    ``tables`` are those of ``LEDGER_READS``. Duplicates, and money without a rate, become known
    only when all files are seen together, so they come from the facts and are taken off the rows
    that kept the contract. ``excluded_rows`` are the machines' rows among the accepted ones when
    ``exclude_bots`` holds, else 0.
    """
    parts = [_events(tables["receipts_events"], tables["duplicate_events"])]
    parts += [
        _of_source(source, tables[f"receipts_{source}"], _fates(tables[fact]))
        for source, fact in FACTS.items()
    ]
    excluded = pl.col("bot_rows") - pl.col("duplicate_bot_rows")
    return pl.concat(parts).select(
        "landing_date",
        "source",
        "file",
        "status",
        "raw_rows",
        "filtered_rows",
        "read_rows",
        accepted_rows=pl.col("landed_rows") - pl.sum_horizontal(*_FATES),
        quarantined_rows=pl.col("quarantined_rows") + pl.col("awaiting_rate_rows"),
        awaiting_rate_rows="awaiting_rate_rows",
        duplicate_rows="duplicate_rows",
        excluded_rows=excluded if exclude_bots else pl.lit(0, pl.Int64),
        late_1d_rows="late_1d_rows",
        late_7d_rows="late_7d_rows",
        late_30d_rows="late_30d_rows",
        future_rows="future_rows",
    )


def _events(receipts: pl.LazyFrame, duplicates: pl.LazyFrame) -> pl.LazyFrame:
    counts = duplicates.group_by(_FILE).agg(
        duplicate_rows=pl.len().cast(pl.Int64),
        awaiting_rate_rows=pl.lit(0, pl.Int64),
        duplicate_bot_rows=pl.col("is_bot").sum().cast(pl.Int64),
    )
    return _of_source("events", receipts, counts)


def _fates(facts: pl.LazyFrame) -> pl.LazyFrame:
    counts = {name: (pl.col("fate") == fate).sum().cast(pl.Int64) for name, fate in _FATES.items()}
    return facts.group_by(_FILE).agg(**counts, duplicate_bot_rows=pl.lit(0, pl.Int64))


def _of_source(source: str, receipts: pl.LazyFrame, counts: pl.LazyFrame) -> pl.LazyFrame:
    joined = receipts.join(counts, on=_FILE, how="left")
    none_known = pl.col(*_FATES, "duplicate_bot_rows").fill_null(0)
    return joined.with_columns(none_known, source=pl.lit(source))
