"""What became of every row of every landed file."""

import polars as pl

_FILE = ["landing_date", "file"]


def ingest_ledger(
    receipts_events: pl.LazyFrame, duplicate_events: pl.LazyFrame, *, exclude_bots: bool
) -> pl.LazyFrame:
    """One row per landed file, its rows counted by what became of them.

    Duplicates become known only when all files are seen together, so they come from
    ``duplicate_events`` and are taken off the rows that kept the contract. ``excluded_rows`` are
    the machines' rows among the accepted ones when ``exclude_bots`` holds, else 0.
    """
    duplicates = duplicate_events.group_by(_FILE).agg(
        duplicate_rows=pl.len().cast(pl.Int64),
        duplicate_bot_rows=pl.col("is_bot").sum().cast(pl.Int64),
    )
    none_known = pl.col("duplicate_rows", "duplicate_bot_rows").fill_null(0)
    excluded = pl.col("bot_rows") - pl.col("duplicate_bot_rows")
    counted = receipts_events.join(duplicates, on=_FILE, how="left").with_columns(none_known)
    return counted.select(
        "landing_date",
        pl.lit("events").alias("source"),
        "file",
        "status",
        "raw_rows",
        "filtered_rows",
        "read_rows",
        (pl.col("landed_rows") - pl.col("duplicate_rows")).alias("accepted_rows"),
        "quarantined_rows",
        "duplicate_rows",
        (excluded if exclude_bots else pl.lit(0, pl.Int64)).alias("excluded_rows"),
        "late_1d_rows",
        "late_7d_rows",
        "late_30d_rows",
        "future_rows",
    )
