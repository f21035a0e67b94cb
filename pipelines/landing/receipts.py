"""What each file brought, counted while its rows are judged."""

from datetime import timedelta

import polars as pl

from pipelines.landing.rows import RawRows
from pipelines.landing.sources import Source

_REFUSED = "\0refused"
COUNTED = (
    "raw_rows",
    "filtered_rows",
    "read_rows",
    "landed_rows",
    "quarantined_rows",
    "bot_rows",
    "late_1d_rows",
    "late_7d_rows",
    "late_30d_rows",
    "future_rows",
)


def count_rows(
    raw: pl.DataFrame, rows: RawRows, table: pl.DataFrame, refused: pl.Series, source: Source
) -> pl.DataFrame:
    """Counts per file: of the raw rows, and of what became of those that passed the filters."""
    whole = _per_file(raw, raw_rows=pl.len())
    broken = _per_file(rows.broken, broken=pl.len())
    landed = ~pl.col(_REFUSED)
    judged = _per_file(
        table.with_columns(refused.alias(_REFUSED)),
        kept=pl.len(),
        landed_rows=landed.sum(),
        bot_rows=(landed & _machine(source)).sum(),
        **{
            f"late_{days}d_rows": (landed & (_delay(source) >= timedelta(days=days))).sum()
            for days in (1, 7, 30)
        },
        future_rows=(pl.col("event_date") > pl.col("landing_date")).sum(),
    )
    joined = whole.join(broken, on="intake", how="full", coalesce=True)
    joined = joined.join(judged, on="intake", how="left").fill_null(0)
    return joined.select(
        "intake",
        raw_rows=pl.col("raw_rows") + pl.col("broken"),
        filtered_rows=pl.col("raw_rows") - pl.col("kept"),
        read_rows=pl.col("kept") + pl.col("broken"),
        landed_rows="landed_rows",
        quarantined_rows=pl.col("kept") - pl.col("landed_rows") + pl.col("broken"),
        bot_rows="bot_rows",
        late_1d_rows="late_1d_rows",
        late_7d_rows="late_7d_rows",
        late_30d_rows="late_30d_rows",
        future_rows="future_rows",
    )


def _per_file(rows: pl.DataFrame, **counts: pl.Expr) -> pl.DataFrame:
    totals = {name: count.cast(pl.Int64) for name, count in counts.items()}
    return rows.group_by("intake").agg(**totals)


def _machine(source: Source) -> pl.Expr:
    return pl.col(source.machine).fill_null(False) if source.machine else pl.lit(False)


def _delay(source: Source) -> pl.Expr:
    if source.received is None:
        return pl.lit(None, pl.Duration("us"))
    return pl.col(source.received) - pl.col(source.happened)
